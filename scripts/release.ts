/**
 * Makes a release in `build/release` (or `--out DIR`): for each machine the executable, bare and in a `.tar.zst`; Debian
 * packages; an SBOM; `SHA256SUMS`, and with `--key FILE` its ssh signature. The same commit gives the same bytes.
 *   --only NAME   this machine alone (may be given again)
 *   --try         also from a tree with changes that are not committed, under the name of its commit
 */
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { explain } from "./build.ts";
import { sourceOf } from "./release/source.ts";
import { TARGETS, type Target } from "./release/targets.ts";
import { ensureInstalled, giveUp, ROOT } from "./toolchain.ts";

const OPTIONS = {
  out: { type: "string" },
  key: { type: "string" },
  only: { type: "string", multiple: true },
  try: { type: "boolean" },
} as const;

function targetsNamed(names: readonly string[]): readonly Target[] {
  const known = TARGETS.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) giveUp(`no release is made for ${unknown.join(", ")}; there are ${known.join(", ")}`);
  return TARGETS.filter(({ name }) => names.length === 0 || names.includes(name));
}

const OWN_FOLDER = join(ROOT, "build/release");

/** An empty folder: our own is emptied, another's is not. */
function folderFor(given: string | null): string {
  if (given === null) {
    rmSync(OWN_FOLDER, { recursive: true, force: true });
    return OWN_FOLDER;
  }
  const folder = resolve(given);
  if (existsSync(folder) && readdirSync(folder).length > 0) giveUp(`${folder} is not empty: name another folder`);
  return folder;
}

function printSizes(out: string): void {
  for (const name of readdirSync(out).sort()) {
    console.log(`${(statSync(join(out, name)).size / 1e6).toFixed(1).padStart(7)} MB  ${name}`);
  }
}

if (import.meta.main) {
  await ensureInstalled();
  const { values } = parseArgs({ args: process.argv.slice(2), options: OPTIONS });
  const targets = targetsNamed(values.only ?? []);
  const out = folderFor(values.out ?? null);
  const key = values.key === undefined ? null : resolve(values.key);
  const mayBeChanged = values.try ?? false;
  const source = sourceOf(mayBeChanged);
  // Loaded only now: the makers import packages, which a fresh checkout has no sooner than this.
  const { release } = await import("./release/make.ts");
  try {
    await release({ out, key, targets }, source);
  } catch (error) {
    giveUp(explain(error));
  }
  if (sourceOf(mayBeChanged).commit !== source.commit)
    giveUp("the checkout has changed meanwhile: make the release again");
  printSizes(out);
  if (key === null) console.log("SHA256SUMS is not signed: give --key FILE, an ssh key");
}

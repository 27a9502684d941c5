/**
 * Makes a release in `build/release` (or `--out DIR`): for each machine the executable, bare and in a `.tar.zst`; Debian
 * packages; an SBOM; `SHA256SUMS`, and with `--key FILE` its ssh signature. The same commit gives the same bytes.
 *   --only NAME   this machine alone (may be given again)
 *   --try         also from a tree with changes that are not committed, under the name of its commit
 */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { formatSums, SUMS_FILE, sha256Of } from "../src/release/sums.ts";
import { compile, type Embedded, explain, writeEmbedded } from "./build.ts";
import { debianPackage } from "./release/debian/package.ts";
import { requireProcessor } from "./release/isa.ts";
import { installRuntimes } from "./release/runtimes.ts";
import { sbom } from "./release/sbom.ts";
import { sign } from "./release/sign.ts";
import { type Source, sourceOf } from "./release/source.ts";
import { zstd } from "./release/tar.ts";
import { tarball } from "./release/tarball.ts";
import { debianName, executableName, sbomName, TARGETS, type Target, tarName } from "./release/targets.ts";
import { ensureInstalled, giveUp, ROOT } from "./toolchain.ts";

const OPTIONS = {
  out: { type: "string" },
  key: { type: "string" },
  only: { type: "string", multiple: true },
  try: { type: "boolean" },
} as const;

export interface Wanted {
  readonly out: string;
  readonly key: string | null;
  readonly targets: readonly Target[];
}

function targetsNamed(names: readonly string[]): readonly Target[] {
  const known = TARGETS.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) giveUp(`no release is made for ${unknown.join(", ")}; there are ${known.join(", ")}`);
  return TARGETS.filter(({ name }) => names.length === 0 || names.includes(name));
}

/** The executable of one machine, for whoever may run it. */
async function executable(target: Target, embedded: Embedded, runtime: string, folder: string): Promise<Buffer> {
  // The name is part of the bytes.
  const made = join(folder, "nerve");
  await compile(made, embedded, { target: target.compile, runtime });
  const bytes = readFileSync(made);
  if (target.refusesProcessors) requireProcessor(bytes);
  return bytes;
}

async function makeTarget(target: Target, source: Source, bytes: Buffer, out: string): Promise<void> {
  const { version, maintainer, timeS } = source;
  const bare = join(out, executableName(version, target));
  writeFileSync(bare, bytes);
  chmodSync(bare, 0o755);
  writeFileSync(join(out, tarName(version, target)), zstd(tarball(executableName(version, target), bytes, source)));
  if (target.debian === null) return;
  const deb = await debianPackage({ version, architecture: target.debian, maintainer, timeS, executable: bytes });
  writeFileSync(join(out, debianName(version, target.debian)), deb);
}

async function writeSums(out: string): Promise<void> {
  const sums = new Map<string, string>();
  for (const name of readdirSync(out).sort()) sums.set(name, await sha256Of(join(out, name)));
  writeFileSync(join(out, SUMS_FILE), formatSums(sums));
}

function printSizes(out: string): void {
  for (const name of readdirSync(out).sort()) {
    console.log(`${(statSync(join(out, name)).size / 1e6).toFixed(1).padStart(7)} MB  ${name}`);
  }
}

/** Leaves in `out` the files of the release, and nothing else. */
export async function release({ out, key, targets }: Wanted, source: Source): Promise<void> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), "nerve-release-"));
  try {
    const runtimeOf = await installRuntimes(join(work, "runtimes"));
    const embedded = await writeEmbedded(work);
    for (const target of targets) {
      const bytes = await executable(target, embedded, runtimeOf(target), work);
      await makeTarget(target, source, bytes, out);
    }
    writeFileSync(join(out, sbomName(source.version)), await sbom(source));
    await writeSums(out);
    if (key !== null) sign(join(out, SUMS_FILE), key);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  await ensureInstalled();
  const { values } = parseArgs({ args: process.argv.slice(2), options: OPTIONS });
  const out = resolve(values.out ?? join(ROOT, "build/release"));
  const key = values.key === undefined ? null : resolve(values.key);
  try {
    await release({ out, key, targets: targetsNamed(values.only ?? []) }, sourceOf(values.try ?? false));
  } catch (error) {
    giveUp(explain(error));
  }
  printSizes(out);
  if (key === null) console.log(`${SUMS_FILE} is not signed: give --key FILE, an ssh key`);
}

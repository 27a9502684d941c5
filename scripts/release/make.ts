/** Makes the files of a release, one machine after the other. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatSums, SUMS_FILE, sha256Of } from "../../src/release/sums.ts";
import { COMMIT_DIGITS, compile, type Embedded, writeEmbedded } from "../build.ts";
import { debianPackage } from "./debian/package.ts";
import { requireProcessor } from "./isa.ts";
import { installRuntimes } from "./runtimes.ts";
import { sbom } from "./sbom.ts";
import { sign } from "./sign.ts";
import type { Source } from "./source.ts";
import { zstd } from "./tar.ts";
import { tarball } from "./tarball.ts";
import { debianName, executableName, sbomName, type Target, tarName } from "./targets.ts";

export interface Wanted {
  readonly out: string;
  /** Of the signature; null for none. */
  readonly key: string | null;
  readonly targets: readonly Target[];
}

/** What all machines have in common, made once. */
interface Work {
  readonly folder: string;
  readonly embedded: Embedded;
  readonly runtimeOf: (target: Target) => string;
}

/** The executable of one machine, for whoever may run it. */
async function executable(target: Target, { commit }: Source, work: Work): Promise<Buffer> {
  const outfile = join(work.folder, "nerve");
  const foreign = { target: target.compile, runtime: work.runtimeOf(target) };
  const { embedded } = work;
  await compile({ outfile, embedded, commit: commit.slice(0, COMMIT_DIGITS), foreign, plugins: [] });
  const bytes = readFileSync(outfile);
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

/** Leaves the files of the release in `out`, which is empty or not there yet. */
export async function release({ out, key, targets }: Wanted, source: Source): Promise<void> {
  mkdirSync(out, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), "nerve-release-"));
  try {
    const runtimeOf = await installRuntimes(join(folder, "runtimes"));
    const work = { folder, runtimeOf, embedded: await writeEmbedded() };
    for (const target of targets) await makeTarget(target, source, await executable(target, source, work), out);
    writeFileSync(join(out, sbomName(source.version)), await sbom(source));
    await writeSums(out);
    if (key !== null) sign(join(out, SUMS_FILE), key);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

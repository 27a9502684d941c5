/** The Bun of each machine, from its package: of exactly the version that builds, and held to the hashes of the lock file. */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { readLock } from "../licences/packages.ts";
import { giveUp, ROOT, runStep } from "../toolchain.ts";
import type { Target } from "./targets.ts";

const LOCKED = join(ROOT, "scripts/release/runtimes");

/** Hash of a runtime's package, as the lock file has it. */
export function runtimeIntegrity(target: Target): string {
  const locked = readLock(join(LOCKED, "bun.lock")).packages[target.runtime];
  if (locked?.[0] !== `${target.runtime}@${Bun.version}`) {
    giveUp(`scripts/release/runtimes has ${locked?.[0] ?? `no ${target.runtime}`}, and this is Bun ${Bun.version}`);
  }
  return locked[3];
}

/** Installs the runtimes in `folder`; where the Bun of a target lies. */
export async function installRuntimes(folder: string): Promise<(target: Target) => string> {
  mkdirSync(folder, { recursive: true });
  for (const file of ["package.json", "bun.lock"]) copyFileSync(join(LOCKED, file), join(folder, file));
  const install = [
    process.execPath,
    "install",
    "--frozen-lockfile",
    "--cpu=*",
    "--os=*",
    "--libc=*",
    `--cwd=${folder}`,
  ];
  if (!(await runStep("runtimes", install))) process.exit(1);
  return (target) => {
    runtimeIntegrity(target);
    return join(folder, "node_modules", target.runtime, "bin/bun");
  };
}

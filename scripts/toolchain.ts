/** What every script stands on: exactly the pinned Bun, installed packages that match the lock file, and steps that are timed. */
import { existsSync, readFileSync, statSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";

export const ROOT = dirname(import.meta.dir);

const seconds = (startedAt: number): string => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;

/** Ends the script with a sentence for its reader. */
export function giveUp(message: string): never {
  console.error(message);
  process.exit(1);
}

/** The Bun that runs becomes part of the executable, so another version is another program. */
function requirePinnedBun(): void {
  const { engines } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { engines: { bun: string } };
  if (Bun.version === engines.bun) return;
  const script = process.env.npm_lifecycle_event ?? "build";
  giveUp(`nerve needs Bun ${engines.bun} exactly, this is ${Bun.version}: npx --yes bun@${engines.bun} run ${script}`);
}

/** Runs a program to its end with the terminal as its own; the children of a script use the Bun that runs the script. */
export async function run(command: readonly string[], environment: Record<string, string> = {}): Promise<number> {
  const child = Bun.spawn([...command], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "inherit", "inherit"],
  });
  return await child.exited;
}

/** Runs a step silently and prints one line: its name, how it went, how long it took. What it said follows if it failed. */
export async function runStep(name: string, command: readonly string[]): Promise<boolean> {
  const startedAt = performance.now();
  const child = Bun.spawn([...command], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const [out, error, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${name.padEnd(16)} ${seconds(startedAt)}`);
  if (code !== 0) console.log(`${out}${error}`.trimEnd());
  return code === 0;
}

/**
 * Installs the dependencies as locked, unless that was done since the lock file last changed. The script then begins
 * anew: the bundler of a process that has once looked for `node_modules` in vain does not look again.
 */
export async function ensureInstalled(): Promise<void> {
  requirePinnedBun();
  const modules = join(ROOT, "node_modules");
  const lock = statSync(join(ROOT, "bun.lock")).mtimeMs;
  if (existsSync(modules) && statSync(modules).mtimeMs >= lock) return;
  if (!(await runStep("install", [process.execPath, "install", "--frozen-lockfile"]))) process.exit(1);
  const now = new Date();
  utimesSync(modules, now, now);
  process.execve?.(process.execPath, [process.execPath, ...process.argv.slice(1)], process.env);
}

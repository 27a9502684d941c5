/** Which lines of the kernel the simulator reaches: some worlds under the coverage of `bun test`, and why the others stay dark. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "../..");
const FEW = 80;

/** What no world has in it, by the files that deal with it. */
const UNREACHED: readonly (readonly [RegExp, string])[] = [
  [/kernel\/host\//, "the host: locks, a data directory that is taken away, sockets of the service manager"],
  [/kernel\/daemon\/(push|main)/, "no scripted process sends pushes"],
  [/push-worker/, "no scripted process sends pushes"],
  [
    /(reflex-voice|histories|reflex-rows|masked|sleepers|history-fold)/,
    "rows, logs and archives that are damaged: scripts/fuzz-store.ts",
  ],
  [/(archiver|archive)/, "files that are damaged: scripts/fuzz-store.ts"],
  [/run-voice/, "runs of hours, rows that are put right"],
  [/(watched-data|data-directory)/, "a data directory that is removed"],
  [/path-watch/, "inotify itself: the world says what it would"],
  [/watches|paths/, "folders of built-in senses"],
  [/past/, "a past that is more than one frame"],
  [/fleet|conflicts|complaints|concerns/, "frames that no host of ours sends"],
];

const reasonOf = (file: string): string => UNREACHED.find(([pattern]) => pattern.test(file))?.[1] ?? "";

interface Reached {
  readonly file: string;
  readonly lines: number;
  readonly hit: number;
}

export function readLcov(text: string): Reached[] {
  return text.split("end_of_record").flatMap((record) => {
    const value = (key: string): string => new RegExp(`^${key}:(.*)$`, "m").exec(record)?.[1] ?? "";
    const file = value("SF").replace(`${ROOT}/`, "");
    return file.startsWith("src/kernel/") ? { file, lines: Number(value("LF")), hit: Number(value("LH")) } : [];
  });
}

/** Prints them; answers with the exit code of the worlds. */
export function linesReached(): number {
  const folder = mkdtempSync(join(tmpdir(), "nerve-sim-lines-"));
  const args = ["--coverage", "--coverage-reporter=lcov", `--coverage-dir=${folder}`, "test/sim/sim.test.ts"];
  const { exitCode } = Bun.spawnSync([process.execPath, "test", ...args], {
    cwd: ROOT,
    env: { ...process.env, NERVE_SIM: "full" },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const files = readLcov(readFileSync(join(folder, "lcov.info"), "utf8"));
  rmSync(folder, { recursive: true });
  const lines = files.reduce((sum, one) => sum + one.lines, 0);
  const hit = files.reduce((sum, one) => sum + one.hit, 0);
  const share = (one: { readonly lines: number; readonly hit: number }): number => (100 * one.hit) / one.lines;
  console.log(`lines of src/kernel: ${hit} of ${lines} (${share({ lines, hit }).toFixed(1)} %)`);
  for (const one of files.toSorted((a, b) => share(a) - share(b)))
    if (share(one) < FEW) console.log(`${share(one).toFixed(0).padStart(4)} %  ${one.file}  ${reasonOf(one.file)}`);
  return exitCode;
}

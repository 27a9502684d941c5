/** Which lines of the kernel the simulator reaches: some worlds under the coverage of `bun test`, and why the others stay dark. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "../..");
const FEW = 80;

/** What no world has in it, by the files that deal with it. */
const UNREACHED: readonly (readonly [RegExp, string])[] = [
  [/kernel\/(push|daemon\/push)/, "no scripted process sends pushes"],
  [/kernel\/otlp/, "no scripted process carries telemetry"],
  [
    /kernel\/(fleet|daemon\/asked)/,
    "frames, questions and refusals that no scripted host sends; nothing is sent to others",
  ],
  [
    /(reflex-voice|histories|reflex-rows|sleepers|quarantines)/,
    "rows and logs that are damaged: scripts/fuzz-store.ts",
  ],
  [/archiv/, "files that are damaged: scripts/fuzz-store.ts"],
  [/masked/, "secrets in what is said"],
  [/run-voice/, "runs of hours, rows that are put right"],
  [/watched-data/, "a data directory that is removed"],
  [/past-pieces/, "a past that is more than one frame"],
  [/(leavings|controls)/, "items that a person drops or tries again, and what no scripted person asks"],
  [/(taskless-crew|worker-log)/, "what a process without tasks is blamed for, and output without end"],
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

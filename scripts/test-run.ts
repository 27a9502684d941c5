/** Runs the project's tests: which folders belong together, and how many passed and failed. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, run } from "./toolchain.ts";

export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** Folders of `test/` whose tests drive the compiled executable, so they need a build. */
export const NEED_BINARY: readonly string[] = ["e2e", "crash"];

/** A test that hangs is ended; a slow machine is not a failure. */
const TEST_TIMEOUT_MS = 120_000;

const holdsTests = (folder: string): boolean =>
  readdirSync(folder, { recursive: true }).some((file) => String(file).endsWith(".test.ts"));

/** Paths for the runner: a folder of `test/` each, with or without those that need the executable. */
export const testFolders = (needBinary: boolean): string[] =>
  readdirSync(join(ROOT, "test"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && NEED_BINARY.includes(entry.name) === needBinary)
    .filter((entry) => holdsTests(join(ROOT, "test", entry.name)))
    .map((entry) => `./test/${entry.name}`)
    .sort();

/** Sums of the runner's report. A run that failed without a failed test (a file that does not load, a crash) is one. */
export function tallyOf(report: string, exitCode: number): Tally {
  const head = /<testsuites\b[^>]*>/.exec(report)?.[0] ?? "";
  const count = (name: string): number => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const failed = count("failures");
  return {
    passed: count("tests") - failed - count("skipped"),
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
  };
}

/**
 * The runner's output goes to the terminal, failures only, and ends with its own summary. `binary` is the executable the
 * tests are to drive, null where they need none.
 */
export async function runTests(folders: readonly string[], binary: string | null): Promise<Tally> {
  if (folders.length === 0) return { passed: 0, failed: 0 };
  const temporary = mkdtempSync(join(tmpdir(), "nerve-tests-"));
  const file = join(temporary, "report.xml");
  try {
    const options = [
      // Most of them wait most of the time.
      "--parallel",
      "--only-failures",
      `--timeout=${TEST_TIMEOUT_MS}`,
      "--reporter=junit",
      `--reporter-outfile=${file}`,
    ];
    const environment: Record<string, string> = binary === null ? {} : { NERVE_BINARY: binary };
    const code = await run([process.execPath, "test", ...options, ...folders], environment);
    return tallyOf(existsSync(file) ? readFileSync(file, "utf8") : "", code);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

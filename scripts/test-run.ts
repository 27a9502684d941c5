/** Runs the project's tests: which files belong together, how many passed, and what failed by name. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ROOT, run } from "./toolchain.ts";

export interface Tally {
  readonly passed: number;
  /** What failed, one name each: a step, or `test/x.test.ts: describe > title`. */
  readonly failures: readonly string[];
}

/** Folders of `test/` whose tests drive the compiled executable, so they need a build. */
export const NEED_BINARY: readonly string[] = ["e2e", "crash"];

/** A test that hangs is ended; a slow machine is not a failure. */
const TEST_TIMEOUT_MS = 120_000;

/** How much the random tests try where it is to be quick. */
const FEW_TRIALS = 300;

export const sumOf = (...tallies: readonly Tally[]): Tally => ({
  passed: tallies.reduce((sum, { passed }) => sum + passed, 0),
  failures: tallies.flatMap(({ failures }) => failures),
});

/** Every file with tests, in the folders that need the executable, or in the others. */
export const testFiles = (needBinary: boolean): string[] =>
  readdirSync(join(ROOT, "test"), { recursive: true })
    .map(String)
    .filter((file) => file.endsWith(".test.ts") && NEED_BINARY.includes(file.split("/")[0] ?? "") === needBinary)
    .map((file) => `test/${file}`)
    .sort();

/** What a test that starts a process or opens a database says, itself or in a helper it imports. */
const SLOW =
  /\b(?:spawn|spawnSync|startNerve|runNerve|spawnWorker|openStore|openSense|Database)\b|new CrashSite\(|Bun\.\$/;
const COMMENT = /^\s*(?:\/\*[\s\S]*?\*\/|\/\/.*$)/gm;
const LOCAL_IMPORT = /\bfrom "(\.[^"]+\.ts)"/g;

function isPure(file: string, seen: Set<string>): boolean {
  if (seen.has(file)) return true;
  seen.add(file);
  const source = readFileSync(file, "utf8").replace(COMMENT, "");
  const imported = [...source.matchAll(LOCAL_IMPORT)].map(([, path = ""]) => join(dirname(file), path));
  // What a fixture's text imports is not there.
  const helpers = imported.filter((path) => path.startsWith(join(ROOT, "test/")) && existsSync(path));
  return !SLOW.test(source) && helpers.every((helper) => isPure(helper, seen));
}

/** Each takes a second or more: `check --fast` leaves them to `check`. */
const LONG: readonly string[] = [
  "test/base/structures.test.ts",
  "test/config/hostile.test.ts",
  "test/rules/cron.test.ts",
  "test/worker/entry.test.ts",
  "test/workflow-worker/replay.test.ts",
];

/** Tests that compute and nothing else, and not for long: no process, no database. */
export const pureTests = (): string[] =>
  testFiles(false).filter((file) => !LONG.includes(file) && isPure(join(ROOT, file), new Set()));

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
const attribute = (tag: string, name: string): string =>
  (new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? "").replace(
    /&(?:#(\d+)|(\w+));/g,
    (entity, code, word) => (code ? String.fromCodePoint(Number(code)) : ENTITIES[word]) ?? entity,
  );

/** A case and, where it failed, the start of its failure. */
const CASE = /(<testcase\b[^>]*?)(?:\/>|>\s*(<failure\b)?)/g;

/** The runner's report. Of `files` each one that is not in it failed: it did not load, or the run ended before it. */
export function tallyOf(report: string, exitCode: number, files: readonly string[]): Tally {
  const cases = [...report.matchAll(CASE)].map(([, tag = "", failure]) => ({ tag, failed: failure !== undefined }));
  const failures = cases
    .filter(({ failed }) => failed)
    .map(({ tag }) => {
      // The runner names the innermost `describe` first.
      const around = attribute(tag, "classname").split(" > ").filter(Boolean).reverse();
      return `${attribute(tag, "file")}: ${[...around, attribute(tag, "name")].join(" > ")}`;
    });
  const absent = files.filter((file) => !report.includes(`file="${file}"`)).map((file) => `${file}: did not run`);
  const named = [...failures, ...absent];
  const skipped = report.split("<skipped").length - 1;
  return {
    passed: cases.length - failures.length - skipped,
    failures: named.length === 0 && exitCode !== 0 ? [`the test run ended with exit code ${exitCode}`] : named,
  };
}

async function runFiles(files: readonly string[], environment: Record<string, string>): Promise<Tally> {
  if (files.length === 0) return sumOf();
  const temporary = mkdtempSync(join(tmpdir(), "nerve-tests-"));
  const file = join(temporary, "report.xml");
  try {
    const options = [
      "--parallel",
      "--only-failures",
      `--timeout=${TEST_TIMEOUT_MS}`,
      "--reporter=junit",
      `--reporter-outfile=${file}`,
    ];
    const paths = files.map((path) => `./${path}`);
    const code = await run([process.execPath, "test", ...options, ...paths], environment);
    return tallyOf(existsSync(file) ? readFileSync(file, "utf8") : "", code, files);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * The runner's output goes to the terminal, failures only, and ends with its own summary. `binary` is the executable the
 * tests are to drive, null where they run the sources.
 */
export const runTests = (files: readonly string[], binary: string | null): Promise<Tally> =>
  runFiles(files, binary === null ? {} : { NERVE_BINARY: binary });

export const runPureTests = (): Promise<Tally> => runFiles(pureTests(), { NERVE_FUZZ: String(FEW_TRIALS) });

/** Names what failed, below the runner's summary: a name there stands far above it, among what else was printed. */
export function report({ failures }: Tally): void {
  if (failures.length === 0) return;
  console.error(`\nFailed:\n${failures.map((name) => `  ${name}`).join("\n")}`);
}

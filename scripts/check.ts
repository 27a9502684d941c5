/**
 * Everything to run before a commit: format and lint, layers, sizes, shapes, types, and the tests that need no executable.
 * `--fast` leaves out the tests that start a process or open a database, and has the random ones try less.
 */
import { report, runPureTests, runTests, sumOf, type Tally, testFiles } from "./test-run.ts";
import { ensureInstalled, runStep } from "./toolchain.ts";

const BUN = process.execPath;

const STEPS: readonly (readonly [name: string, command: readonly string[]])[] = [
  ["format and lint", [BUN, "x", "biome", "check", "--error-on-warnings", "."]],
  ["layers", [BUN, "scripts/layers.ts"]],
  ["sizes", [BUN, "scripts/sizes.ts"]],
  ["shapes", [BUN, "scripts/shapes.ts"]],
  ["types", [BUN, "check", "--no-script", "--no-pretty"]],
];

/** Runs every step, also beside and after a failed one. */
async function runSteps(): Promise<Tally> {
  const outcomes = await Promise.all(STEPS.map(([name, command]) => runStep(name, command)));
  return { passed: 0, failures: STEPS.map(([name]) => name).filter((_, index) => outcomes[index] === false) };
}

/** A failed step counts as a failure like a failed test. */
export async function check(fast: boolean): Promise<Tally> {
  await ensureInstalled();
  const steps = await runSteps();
  return sumOf(steps, fast ? await runPureTests() : await runTests(testFiles(false), null));
}

if (import.meta.main) {
  const tally = await check(process.argv.includes("--fast"));
  report(tally);
  process.exitCode = tally.failures.length > 0 ? 1 : 0;
}

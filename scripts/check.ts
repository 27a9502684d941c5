/**
 * Everything to run before a commit: format and lint, layers, sizes, shapes, types, a build, and every test but those that
 * drive the executable end to end.
 * `--fast` leaves out the tests that start a process or open a database, and has the random ones try less.
 */
import { BINARY } from "./build.ts";
import { report, runPureTests, runTests, sumOf, type Tally, testFiles } from "./test-run.ts";
import { ensureInstalled, runStep } from "./toolchain.ts";

const BUN = process.execPath;

type Step = readonly [name: string, command: readonly string[]];

const STEPS: readonly Step[] = [
  ["format and lint", [BUN, "x", "biome", "check", "--error-on-warnings", "."]],
  ["layers", [BUN, "scripts/layers.ts"]],
  ["outside", [BUN, "scripts/outside.ts"]],
  ["sizes", [BUN, "scripts/sizes.ts"]],
  ["shapes", [BUN, "scripts/shapes.ts"]],
  ["types", [BUN, "check", "--no-script", "--no-pretty"]],
  ["types of the page", [BUN, "check", "--no-script", "--no-pretty", "-p", "src/page"]],
];

/** The commands are tested on the executable, which starts in half the time of the sources. */
const BUILD: Step = ["build", [BUN, "scripts/build.ts", BINARY]];

/** Runs the steps side by side. A step that fails is a failure like a failed test. */
async function runSteps(steps: readonly Step[]): Promise<Tally> {
  const outcomes = await Promise.all(steps.map(([name, command]) => runStep(name, command)));
  return { passed: 0, failures: steps.map(([name]) => name).filter((_, index) => outcomes[index] === false) };
}

/** Leaves the executable at {@link BINARY}, unless it is to be fast. */
export async function check(fast: boolean): Promise<Tally> {
  await ensureInstalled();
  if (fast) return sumOf(await runSteps(STEPS), await runPureTests());
  const steps = await runSteps([...STEPS, BUILD]);
  return sumOf(steps, await runTests(testFiles(false), steps.failures.includes("build") ? null : BINARY));
}

if (import.meta.main) {
  const tally = await check(process.argv.includes("--fast"));
  report(tally);
  process.exitCode = tally.failures.length > 0 ? 1 : 0;
}

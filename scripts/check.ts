/** Everything to run before a commit: format and lint, layers, sizes, types, and the tests that need no executable. */
import { runTests, type Tally, testFolders } from "./test-run.ts";
import { ensureInstalled, runStep } from "./toolchain.ts";

const BUN = process.execPath;

const STEPS: readonly (readonly [name: string, command: readonly string[]])[] = [
  ["format and lint", [BUN, "x", "biome", "check", "--error-on-warnings", "."]],
  ["layers", [BUN, "scripts/layers.ts"]],
  ["sizes", [BUN, "scripts/sizes.ts"]],
  ["types", [BUN, "check", "--no-script", "--no-pretty"]],
];

/** Runs every step, also after a failed one. A failed step counts as one more failure. */
export async function check(): Promise<Tally> {
  await ensureInstalled();
  const failures: string[] = [];
  for (const [name, command] of STEPS) {
    if (!(await runStep(name, command))) failures.push(name);
  }
  const tests = await runTests(testFolders(false), null);
  // Said again below the tests' summary, which alone would read as if all were well.
  if (failures.length > 0) console.error(`FAILED before the tests: ${failures.join(", ")}`);
  return { passed: tests.passed, failed: tests.failed + failures.length };
}

if (import.meta.main) {
  const { failed } = await check();
  process.exitCode = failed > 0 ? 1 : 0;
}

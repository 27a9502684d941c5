/** What proves a checkout: install, check, build, and the end-to-end and crash tests on the compiled executable. */
import { BINARY } from "./build.ts";
import { check } from "./check.ts";
import { report, runTests, sumOf, type Tally, testFiles } from "./test-run.ts";
import { runStep } from "./toolchain.ts";

async function testBinary(): Promise<Tally> {
  const isBuilt = await runStep("build", [process.execPath, "scripts/build.ts", BINARY]);
  return isBuilt ? runTests(testFiles(true), BINARY) : { passed: 0, failures: ["build"] };
}

const tally = sumOf(await check(false), await testBinary());
report(tally);
console.log(`${tally.passed} passed, ${tally.failures.length} failed`);
process.exitCode = tally.failures.length > 0 ? 1 : 0;

/** What proves a checkout: install, check with its build, and the end-to-end and crash tests on the compiled executable. */
import { BINARY } from "./build.ts";
import { check } from "./check.ts";
import { report, runTests, sumOf, testFiles } from "./test-run.ts";

const checked = await check(false);
const tally = checked.failures.includes("build") ? checked : sumOf(checked, await runTests(testFiles(true), BINARY));
report(tally);
console.log(`${tally.passed} passed, ${tally.failures.length} failed`);
process.exitCode = tally.failures.length > 0 ? 1 : 0;

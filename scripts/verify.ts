/** What proves a checkout: install, check, build, and the end-to-end and crash tests on the compiled executable. */
import { BINARY } from "./build.ts";
import { check } from "./check.ts";
import { runTests, testFolders } from "./test-run.ts";
import { runStep } from "./toolchain.ts";

let { passed, failed } = await check();

if (await runStep("build", [process.execPath, "scripts/build.ts", BINARY])) {
  const onBinary = await runTests(testFolders(true), BINARY);
  passed += onBinary.passed;
  failed += onBinary.failed;
} else {
  failed += 1;
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

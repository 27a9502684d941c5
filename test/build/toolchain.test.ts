/** The scripts' own small logic, and that one Bun is pinned everywhere. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isStale } from "../../scripts/build.ts";
import { pureTests, tallyOf, testFiles } from "../../scripts/test-run.ts";

const ROOT = dirname(dirname(import.meta.dir));
const folder = mkdtempSync(join(tmpdir(), "nerve-toolchain-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");

test("one Bun is pinned: engines, packageManager, its types and what CI runs", () => {
  const { engines, packageManager, devDependencies } = JSON.parse(read("package.json"));
  expect(packageManager).toBe(`bun@${engines.bun}`);
  expect(devDependencies["bun-types"]).toBe(engines.bun);
  expect([...read(".ci/run").matchAll(/bun@([\w.]+)/g)].map(([, version]) => version)).toEqual([engines.bun]);
  expect(Bun.version).toBe(engines.bun);
});

test("what a fresh checkout runs loads no package before it has installed them", () => {
  const transpiler = new Bun.Transpiler({ loader: "ts" });
  const loaded = new Set(["start", "build", "check", "verify"].map((name) => join(ROOT, "scripts", `${name}.ts`)));
  const packages: string[] = [];
  for (const file of loaded) {
    if (!file.endsWith(".ts")) continue;
    for (const { path, kind } of transpiler.scanImports(readFileSync(file, "utf8"))) {
      if (kind !== "import-statement" || path === "bun" || path.startsWith("node:")) continue;
      if (path.startsWith(".")) loaded.add(join(dirname(file), path));
      else packages.push(`${file}: ${path}`);
    }
  }
  expect(loaded.size).toBeGreaterThan(5);
  expect(packages).toEqual([]);
});

test("every dependency is pinned exactly", () => {
  const { dependencies, devDependencies } = JSON.parse(read("package.json"));
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
  }
});

test("a binary is stale when it is missing or older than a source", () => {
  const binary = join(folder, "nerve");
  expect(isStale(binary)).toBe(true);
  writeFileSync(binary, "");
  expect(isStale(binary)).toBe(false);
  utimesSync(binary, 0, 0);
  expect(isStale(binary)).toBe(true);
});

test("every file with tests is run, by exactly one of check and the end-to-end step; the pure ones are some of check's", () => {
  const [check, end] = [testFiles(false), testFiles(true)];
  const all = readdirSync(join(ROOT, "test"), { recursive: true })
    .map((file) => `test/${file}`)
    .filter((file) => file.endsWith(".test.ts"));
  expect([...check, ...end].sort()).toEqual(all.sort());
  expect(end.every((file) => /^test\/(e2e|crash)\//.test(file))).toBe(true);
  const pure = pureTests();
  expect(pure.filter((file) => !check.includes(file))).toEqual([]);
  expect(pure).toContain("test/rules/rule.test.ts");
  for (const file of ["test/cli/daemon.test.ts", "test/base/processes.test.ts", "test/store/store.test.ts"]) {
    expect(pure).not.toContain(file);
  }
});

describe("a tally of the runner's report", () => {
  const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="5" assertions="9" failures="2" skipped="1" time="1">
  <testsuite name="test/a.test.ts" file="test/a.test.ts" tests="5" failures="2" skipped="1">
    <testcase name="1 &lt; 2 &amp; &quot;so&quot;" classname="" file="test/a.test.ts">
      <failure type="AssertionError" message="x > y">x</failure>
    </testcase>
    <testsuite name="outer" file="test/a.test.ts"><testsuite name="inner" file="test/a.test.ts">
      <testcase name="deep" classname="inner &gt; outer" file="test/a.test.ts">
        <failure type="Error" message="x" />
      </testcase>
      <testcase name="fine" classname="inner &gt; outer" file="test/a.test.ts" />
      <testcase name="left out" classname="inner &gt; outer" file="test/a.test.ts">
        <skipped />
      </testcase>
    </testsuite></testsuite>
    <testcase name="fine too" classname="" file="test/a.test.ts" />
  </testsuite>
</testsuites>`;
  const FAILED = ['test/a.test.ts: 1 < 2 & "so"', "test/a.test.ts: outer > inner > deep"];

  test("counts what passed and names what failed", () => {
    expect(tallyOf(REPORT, 1, ["test/a.test.ts"])).toEqual({ passed: 2, failures: FAILED });
  });

  test("names a file that is not in it", () => {
    const failures = [...FAILED, "test/b.test.ts: did not run"];
    expect(tallyOf(REPORT, 1, ["test/a.test.ts", "test/b.test.ts"])).toEqual({ passed: 2, failures });
    expect(tallyOf("", 139, ["test/b.test.ts"])).toEqual({ passed: 0, failures: ["test/b.test.ts: did not run"] });
  });

  test("is no success where the run was none", () => {
    const sound = '<testsuites><testcase name="fine" classname="" file="test/a.test.ts" /></testsuites>';
    expect(tallyOf(sound, 0, ["test/a.test.ts"])).toEqual({ passed: 1, failures: [] });
    expect(tallyOf(sound, 7, ["test/a.test.ts"]).failures).toEqual(["the test run ended with exit code 7"]);
  });
});

/** The scripts' own small logic, and that one Bun is pinned everywhere. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isStale } from "../../scripts/build.ts";
import { NEED_BINARY, tallyOf, testFolders } from "../../scripts/test-run.ts";

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

test("every folder with tests is run, each by exactly one of check and the end-to-end step", () => {
  const check = testFolders(false);
  const end = testFolders(true);
  const holding = readdirSync(join(ROOT, "test"), { recursive: true })
    .map(String)
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => `./test/${file.split("/")[0]}`);
  expect([...check, ...end].sort()).toEqual([...new Set(holding)].sort());
  expect(end.every((path) => NEED_BINARY.includes(path.replace("./test/", "")))).toBe(true);
});

test("a tally is the sum of the report, and a run that died without one is a failure", () => {
  const report =
    '<?xml version="1.0"?>\n<testsuites name="bun test" tests="10" assertions="9" failures="2" skipped="3" time="1">';
  expect(tallyOf(report, 1)).toEqual({ passed: 5, failed: 2 });
  expect(tallyOf("", 139)).toEqual({ passed: 0, failed: 1 });
  expect(tallyOf(report.replace('failures="2"', 'failures="0"'), 1)).toEqual({ passed: 7, failed: 1 });
});

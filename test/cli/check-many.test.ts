/** Senses of a group are checked together in one worker: what one of them does to it is found all the same. */
import { expect, test } from "bun:test";
import { projects, runInTmp } from "../helpers/nerve.ts";

const GOOD = Array.from({ length: 45 }, (_, index) => `good-${index}`);
const BAD = ["dies", "throws", "torn", "worse"];

test("a module that kills its worker, one that throws and a migration that fails are named, and only they", async () => {
  using made = projects();
  const names = [...GOOD.slice(0, 20), ...BAD, ...GOOD.slice(20)];
  const folder = made.make({
    "nerve.yaml": `senses:\n${names.map((name) => `  ${name}: { use: ${name.startsWith("good") ? "good" : name} }`).join("\n")}\nreflexes:\n${names.map((name) => `  - { sense: ${name}, interval: 1m }`).join("\n")}\n`,
    "senses/good/index.ts": "export const compute = () => null;\n",
    "senses/good/migrations/0001_a.sql": "CREATE TABLE a (x INTEGER);\n",
    "senses/dies/index.ts": "process.exit(7);\n",
    "senses/throws/index.ts": 'throw new Error("not today");\n',
    "senses/worse/index.ts": "export const compute = 1;\n",
    "senses/torn/index.ts": "export const compute = () => null;\n",
    "senses/torn/migrations/0001_a.sql": "CREATE TABL a (x INTEGER);\n",
  });
  const { code, stdout, stderr } = await runInTmp(folder, ["check"]);
  expect([code, stdout]).toEqual([1, ""]);
  const errors = stderr.split("\n").filter((line) => line.startsWith("error:"));
  expect(errors).toHaveLength(BAD.length);
  for (const name of BAD) expect(errors.some((line) => line.includes(name))).toBe(true);
  expect(stderr).toContain("its worker died while it was being loaded: it exited with code 7");
  expect(stderr).toContain("not today");

  for (const name of BAD) folder.write(`senses/${name}/index.ts`, "export const compute = () => null;\n");
  folder.write("senses/torn/migrations/0001_a.sql", "CREATE TABLE a (x INTEGER);\n");
  const mended = await runInTmp(folder, ["check", "--json"]);
  expect(mended.code).toBe(0);
  const { senses } = JSON.parse(mended.stdout);
  expect(senses.map(({ name }: { name: string }) => name)).toEqual(names);
  expect(
    senses.every(
      ({ name, pending }: { name: string; pending: string[] }) => pending.length === (/good|torn/.test(name) ? 1 : 0),
    ),
  ).toBe(true);
});

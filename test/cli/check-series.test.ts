/** A `series` that the database of its sense does not have: an error of `nerve check`, by name, that costs nothing else. */
import { afterAll, expect, test } from "bun:test";
import { projects, runNerve } from "../helpers/nerve.ts";

const everywhere = projects();
afterAll(() => everywhere[Symbol.dispose]());

const MIGRATION = "CREATE TABLE depths (at INTEGER PRIMARY KEY, depth INTEGER NOT NULL);\n";
const moduleOf = (series: string): string =>
  `import type { Series } from "nerve";
export const series: Series = ${series};
export const compute = () => ({ depth: 1 });
`;

const site = (series: string) =>
  everywhere.make({
    "nerve.yaml":
      "senses: { queue: , load: }\nreflexes: [{ sense: queue, interval: 1m }, { sense: load, interval: 1m }]\n",
    "senses/queue/index.ts": moduleOf(series),
    "senses/queue/migrations/0001_depths.sql": MIGRATION,
  });

test("a table or a column that is not there is an error with the file, and the sense runs all the same", async () => {
  const folder = site('{ table: "depths", at: "at", numbers: { dept: null } }');
  const { code, stderr } = await runNerve(folder.path, ["check", "--json"]);
  const errors = stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).error);
  expect([code, errors]).toEqual([
    1,
    [
      {
        kind: "bad-series",
        message: "sense `queue` exports `series`, but the table `depths` has no column `dept`",
        hint: "its columns are at, depth",
        file: `${folder.path}/senses/queue/index.ts`,
        line: null,
        column: null,
      },
    ],
  ]);
  expect((await runNerve(folder.path, ["once", "queue"])).code).toBe(0);
});

test("one that its database has is no error", async () => {
  const folder = site('{ table: "depths", at: "at", numbers: { depth: null } }');
  const { code, stderr } = await runNerve(folder.path, ["check", "--json"]);
  expect([code, stderr]).toEqual([0, ""]);
});

/** `context.more()`: what a compute leaves unread is read by the next one, which follows without a change or an interval. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { project, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const text = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, nth) => `line ${from + nth}\n`).join("");

test("tail reads a burst of 3,000 lines to its end, woken once, with `watch: true` alone", async () => {
  using folder = project({
    "nerve.yaml":
      "senses: { log: { use: tail, with: { path: app.log, from: start } } }\nreflexes: [{ sense: log, watch: true }]\n",
    "app.log": "begin\n",
  });
  await using nerve = await startNerve(folder.path);
  const lines = (): string[] => nerve.signals("log").map(({ payload }) => payload.line);
  await until("tail has caught up", () => lines().length === 1);
  appendFileSync(join(folder.path, "app.log"), text(0, 3_000));
  // The interval of `watch: true` is a minute, and reads 500 lines each time: this would wait for five of them.
  await until("the last line is a signal", () => lines().at(-1) === "line 2999");
  expect(lines()).toEqual(["begin", ...text(0, 3_000).trimEnd().split("\n")]);
});

test("a compute that calls more() and emits nothing goes on once a second, whatever it says, and stops when it is done", async () => {
  const COUNTS = `import { sql } from "drizzle-orm";
export const compute = (db, _peers, { more }) => {
  const rows = db.values(sql\`SELECT n FROM counts\`);
  const n = (rows[0]?.[0] ?? 0) + 1;
  db.run(sql\`DELETE FROM counts\`);
  db.run(sql\`INSERT INTO counts VALUES (\${n})\`);
  if (n < 4) more();
  return n < 4 ? null : { n };
};`;
  using folder = project({
    "senses/slow/index.ts": COUNTS,
    "senses/slow/migrations/0000_begin.sql": "CREATE TABLE counts (n INTEGER NOT NULL);",
    "nerve.yaml": "senses: { slow: {} }\nreflexes: []\n",
  });
  await using nerve = await startNerve(folder.path);
  await nerve.post("/trigger", { name: "slow" });
  await until("the fourth compute emits", () => nerve.signals("slow").length === 1);
  expect(nerve.signals("slow").map(({ payload }) => payload)).toEqual([{ n: 4 }]);
});

/** Several signals of one compute: `return signals([…])`, and the lines that a program prints; and how durable they are. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { jsonOf, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const CONFIG = `
senses:
  list:
  lines: { use: exec, with: { command: [seq, "3"], parse: jsonl } }
  sum:
reflexes:
  - { sense: list, on_start: true }
  - { sense: sum, on: [list] }
`;
const LIST = `import { signals } from "nerve";
export const compute = () => signals(Array.from({ length: 250 }, (_, n) => ({ n })));`;
const SUM = "export const compute = () => ({ sum: true });";

test("are signals in their order, with the trace of the compute, and each is there once", async () => {
  using folder = project({ "nerve.yaml": CONFIG, "senses/list/index.ts": LIST, "senses/sum/index.ts": SUM });
  await using daemon = await startNerve(folder.path);
  await until("the sum is there", () => daemon.signals("sum").length > 0);
  await until("all signals are there", () => daemon.signals("list").length >= 250);
  const { outcome, signal, signals } = (await jsonOf(folder.path, ["run", "sense:list", "--wait"])).value;
  expect([outcome, signal, signals.length]).toEqual(["signal", null, 250]);
  const lines = (await jsonOf(folder.path, ["run", "sense:lines", "--wait"])).value;
  expect(lines.signals.map(({ payload }: { payload: unknown }) => payload)).toEqual([1, 2, 3]);
  expect(await daemon.stop()).toBe(0);
  const kept = daemon.signals("list");
  const numbers = Array.from({ length: 250 }, (_, n) => ({ n }));
  expect(kept.map(({ payload }) => payload)).toEqual([...numbers, ...numbers]);
  expect(new Set(kept.map(({ trace }) => trace)).size).toBe(2);
  expect(daemon.logs({ event: "compute.failed" })).toEqual([]);
});

test("are all shown by `nerve once`", async () => {
  using folder = project({ "nerve.yaml": CONFIG, "senses/list/index.ts": LIST, "senses/sum/index.ts": SUM });
  const shown = await runNerve(folder.path, ["once", "lines"]);
  expect(shown.stdout).toStartWith("signals    3 signals\n1\n2\n3\ntook ");
  const { value: many } = await jsonOf(folder.path, ["once", "lines"]);
  expect(many).toMatchObject({ outcome: "signal", payload: null, payloads: [1, 2, 3] });
  const { value: single } = await jsonOf(folder.path, ["once", "sum"]);
  expect(single).toMatchObject({ outcome: "signal", payload: { sum: true }, payloads: [{ sum: true }] });
});

test("are as durable as their sense: each sense's database is synced as its `durability` says", async () => {
  using folder = project({
    "nerve.yaml": `
      senses: { plain: { use: look }, full: { use: look, durability: full }, inbox: { use: look, inbox: {} } }
      reflexes: [{ sense: plain, on_start: true }, { sense: full, on_start: true }, { sense: inbox, on_start: true }]`,
    "senses/look/index.ts": `import { sql } from "drizzle-orm";
      export const compute = (db) => db.all(sql\`PRAGMA synchronous\`)[0];`,
  });
  await using daemon = await startNerve(folder.path);
  await until("all three have looked", () => daemon.signals().length === 3);
  const syncOf = (sense: string): unknown => daemon.signals(sense)[0]?.payload.synchronous;
  // SQLite: 1 is NORMAL, 2 is FULL. logs.db has `durability: full`, so what an inbox records has it too.
  expect([syncOf("plain"), syncOf("full"), syncOf("inbox")]).toEqual([1, 2, 2]);
});

/** `nerve sql` beside a daemon that works: what a query does costs the daemon nothing that it can notice. */
import { expect, test } from "bun:test";
import { project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

const CONFIG = `
senses: { load: , memory: }
reflexes: [{ sense: load, interval: 100ms }, { sense: memory, interval: 100ms }]
`;

const BOMB = "WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c, signals";

test("bombs run into their deadline while the daemon goes on, and other queries see what it commits", async () => {
  using folder = project({ "nerve.yaml": CONFIG });
  await using nerve = await startNerve(folder.path);
  await until(
    "there are signals of both senses",
    () => nerve.signals("load").length > 2 && nerve.signals("memory").length > 2,
  );
  const bombs = [1, 2].map(() => runNerve(folder.path, ["sql", "--timeout", "3s", BOMB]));
  const before = nerve.signals().length;
  await until("the daemon commits beside the bombs", () => nerve.signals().length > before + 5);
  const sql = `SELECT (SELECT count(*) FROM signals) AS signals, (SELECT count(*) FROM load.samples) AS loads,
    (SELECT count(*) FROM memory.samples) AS memories, (SELECT count(*) FROM archive.logs) AS archived`;
  const joined = await runNerve(folder.path, ["sql", "--json", "--timeout", "60s", sql]);
  expect(joined).toMatchObject({ code: 0, stderr: "" });
  const { signals, loads, memories, archived } = JSON.parse(joined.stdout);
  expect(signals).toBeGreaterThan(before);
  expect(Math.min(loads, memories)).toBeGreaterThan(2);
  expect(archived).toBe(0);
  for (const { code, stderr } of await Promise.all(bombs)) {
    expect({ code, isLate: stderr.includes("the query was ended after 3s") }).toEqual({ code: 1, isLate: true });
  }
  const after = nerve.signals().length;
  await until("the daemon commits after the bombs", () => nerve.signals().length > after);
  expect(nerve.logs().filter(({ level }) => level === "error")).toEqual([]);
});

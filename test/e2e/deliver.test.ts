/** Signals that a reflex with `deliver` hands to a sense: each once, in order, from the load of the reflex on (G12). */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { jsonOf, type Nerve, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const MANY = `import { signals } from "nerve";
let n = 0;
export const compute = () => signals(Array.from({ length: 400 }, () => ({ n: ++n, odd: n % 2 === 1 })));`;
const OTHER = "export const compute = () => ({ other: true });";
const COUNTS = `export const compute = (_db, _peers, { delivered }) =>
  delivered.length === 0 ? null : { count: delivered.length, first: delivered[0].payload.n, last: delivered.at(-1).payload.n, senses: [...new Set(delivered.map(({ sense }) => sense))] };`;
const SENSES = { "senses/many/index.ts": MANY, "senses/other/index.ts": OTHER, "senses/counts/index.ts": COUNTS };
const config = (reflexes: string): string => `
senses: { many: { group: a }, other: { group: b }, counts: { group: c } }
reflexes: [${reflexes}]`;
const DELIVER = "{ sense: counts, on: [many], deliver: true }";

const emits = async (nerve: Nerve): Promise<void> => {
  const before = nerve.signals("many").length;
  await nerve.post("/trigger", { name: "many" });
  await until("400 more signals are there", () => nerve.signals("many").length === before + 400);
};
const counted = (nerve: Nerve): number => nerve.signals("counts").reduce((sum, { payload }) => sum + payload.count, 0);

test("begins with the first signal after the reflex was loaded, and misses none while the sense is disabled or nerve is down", async () => {
  using folder = project({ ...SENSES, "nerve.yaml": config("") });
  {
    await using nerve = await startNerve(folder.path);
    await emits(nerve);
    folder.write("nerve.yaml", config(DELIVER));
    await nerve.post("/reload");
    await emits(nerve);
    await until("the second 400 are delivered", () => counted(nerve) === 400);
    expect(nerve.signals("counts")[0]?.payload.first).toBe(401);
    await nerve.post("/disable", { name: "counts" });
    for (let times = 0; times < 3; times++) await emits(nerve);
    await nerve.post("/trigger", { name: "other" });
    await until("another signal is there", () => nerve.signals("other").length === 1);
    nerve.kill("SIGKILL");
  }
  await using nerve = await startNerve(folder.path);
  expect(counted(nerve)).toBe(400);
  await nerve.post("/enable", { name: "counts" });
  await until("all of them are delivered", () => counted(nerve) === 1_600);
  const payloads = nerve.signals("counts").map(({ payload }) => payload);
  // At most 500 a compute, without a gap.
  expect(payloads.every(({ count }) => count <= 500)).toBe(true);
  expect(payloads.slice(1).every(({ first }, nth) => first === payloads[nth]?.last + 1)).toBe(true);
  expect(payloads.at(-1)).toMatchObject({ last: 2_000, senses: ["many"] });
  expect(nerve.logs({ event: "compute.took" }).length).toBeGreaterThan(2);

  // A disabled reflex looks at nothing; what it had not handed over waits.
  await nerve.post("/disable", { name: "counts" });
  await emits(nerve);
  await nerve.post("/disable", { name: "reflex:counts#1" });
  await emits(nerve);
  await nerve.post("/enable", { name: "counts" });
  await nerve.post("/enable", { name: "reflex:counts#1" });
  await emits(nerve);
  await until("what came while the reflex was enabled is delivered", () => counted(nerve) === 2_400);
  // Its worker counts from 1 again: 401 to 800 are those of the time in which the reflex was disabled.
  const after = nerve.signals("counts").slice(payloads.length);
  expect([after[0]?.payload.first, after.at(-1)?.payload.last]).toEqual([1, 1_200]);
});

test("hands over what `when` lets through, and check and the graph name it", async () => {
  const when = '{ sense: counts, on: [many], deliver: true, when: { odd: "true" } }';
  using folder = project({ ...SENSES, "nerve.yaml": config(when) });
  await using nerve = await startNerve(folder.path);
  await emits(nerve);
  await until("the odd ones are delivered", () => counted(nerve) === 200);
  const { value } = await jsonOf(folder.path, ["check"]);
  expect(value.reflexes[0].trigger).toBe("on many, delivered");
  expect((await runNerve(folder.path, ["graph"])).stdout).toContain("deliver");
});

test("names the signals that retention removed before they were handed over, once, and hands over the rest", async () => {
  using folder = project({ ...SENSES, "nerve.yaml": config(DELIVER) });
  {
    await using nerve = await startNerve(folder.path);
    await nerve.post("/disable", { name: "counts" });
    await emits(nerve);
    expect(await nerve.stop()).toBe(0);
  }
  {
    using store = new Database(join(folder.path, "data/logs.db"));
    store.run("DELETE FROM signals WHERE id <= 150");
  }
  await using nerve = await startNerve(folder.path);
  await nerve.post("/enable", { name: "counts" });
  await until("the rest is delivered", () => counted(nerve) === 250);
  await emits(nerve);
  await until("what came later is delivered, too", () => counted(nerve) === 650);
  const missed = nerve.logs({ event: "signals.missed" });
  expect(missed.map(({ data }) => data)).toEqual([{ from: 1, to: 150 }]);
});

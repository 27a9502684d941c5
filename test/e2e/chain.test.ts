/** From a tick through two groups: order, cause and trace; and what a peer's handle can and cannot do (G1, G2, G6). */
import { expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { project, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

test.concurrent("tick, signal, peer-reading sense and its signal share one trace, and ids strictly increase", async () => {
  using folder = project(
    {
      "nerve.yaml": `
        groups: { near: {}, far: {} }
        senses: { tick: { group: near }, mirror: { group: far } }
        reflexes:
          - { sense: tick, interval: 100ms }
          - { sense: mirror, on: [tick] }`,
    },
    { tick: "e2e/tick", mirror: "e2e/mirror" },
  );
  await using nerve = await startNerve(folder.path);
  await until("mirror has emitted six times", () => nerve.signals("mirror").length >= 6);
  expect(await nerve.stop()).toBe(0);

  const signals = nerve.signals();
  expect(signals.every(({ id }, index) => index === 0 || id > (signals[index - 1]?.id ?? 0))).toBe(true);
  const ticks = new Map(nerve.signals("tick").map((signal) => [signal.id, signal]));
  for (const tick of ticks.values()) {
    expect(tick.cause).toBeNull();
    expect(tick.trace).toMatch(/^[0-9a-f]{32}$/);
  }
  expect(new Set([...ticks.values()].map(({ trace }) => trace)).size).toBe(ticks.size);
  for (const { cause, trace, id, payload } of nerve.signals("mirror")) {
    const tick = ticks.get(cause ?? 0);
    expect(tick?.trace).toBe(trace);
    expect(tick?.id).toBeLessThan(id);
    expect(payload.newest).toBeGreaterThanOrEqual(tick?.payload.n);
  }
  const groups = nerve.logs({ event: "worker.started" }).map(({ data }) => data.pid);
  expect(new Set(groups).size).toBe(2);
});

test.concurrent("a null compute leaves no signal and is counted", async () => {
  using folder = project(
    { "nerve.yaml": "senses: { tick: {} }\nreflexes: [{ sense: tick, interval: 50ms }]" },
    { tick: "e2e/tick" },
  );
  await using nerve = await startNerve(folder.path);
  const sense = await until("tick has come to nothing three times", async () => {
    const found = await nerve.sense("tick");
    return found.nulls >= 3 && found;
  });
  expect(sense.computes).toBeGreaterThanOrEqual(9);
  expect(sense.errors).toBe(0);
  await nerve.stop();
  const numbers = nerve.signals("tick").map(({ payload }) => payload.n);
  expect(numbers.length).toBeGreaterThanOrEqual(6);
  expect(numbers.filter((n) => n % 3 === 0)).toEqual([]);
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  expect(new Set(numbers).size).toBe(numbers.length);
});

test.concurrent("reading a peer that has not run throws PeerNotReady, which the author can catch; later it is read", async () => {
  using folder = project(
    { "nerve.yaml": "senses: { late: { group: other }, early: {} }\nreflexes: [{ sense: early, on_start: true }]" },
    { late: "e2e/late", early: "e2e/early" },
  );
  await using nerve = await startNerve(folder.path);
  const [first] = await until("early has emitted", () => nerve.signals("early").length === 1 && nerve.signals("early"));
  expect(first?.payload).toEqual({
    not_ready: "late",
    message: 'the database of sense "late" does not exist yet: it has not run since nerve was set up',
  });
  expect((await nerve.post("/trigger", { name: "late" })).status).toBe(200);
  await until("late has emitted", () => nerve.signals("late").length === 1);
  expect((await nerve.post("/trigger", { name: "early" })).status).toBe(200);
  const [, second] = await until(
    "early has emitted again",
    () => nerve.signals("early").length === 2 && nerve.signals("early"),
  );
  expect(second?.payload).toEqual({ visits: 1 });
});

/** Digest by path of everything in the folder a peer's handle could change; -shm holds only the locks of readers, and the kernel writes the ballast meanwhile. */
function digests(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.map(({ parentPath, name }) => join(parentPath, name));
  const kept = names.filter((name) => !name.endsWith("-shm") && !/\/(logs\.db(-wal)?|ballast)$/.test(name));
  return Object.fromEntries(
    kept.sort().map((name) => [name, createHash("sha256").update(readFileSync(name)).digest("hex")]),
  );
}

test.concurrent("a peer's handle is frozen, leads to no raw client and changes no file, whatever SQL it is given", async () => {
  using folder = project({}, { tick: "e2e/tick", prober: "e2e/prober" });
  folder.write(
    "nerve.yaml",
    `
      senses: { tick: {}, prober: { with: { dir: ${JSON.stringify(folder.path)} } } }
      reflexes: [{ sense: tick, on_start: true }]`,
  );
  await using nerve = await startNerve(folder.path);
  await until("tick has emitted", () => nerve.signals("tick").length === 1);
  const before = digests(folder.path);
  await nerve.post("/trigger", { name: "prober" });
  const [found] = await until(
    "prober has emitted",
    () => nerve.signals("prober").length === 1 && nerve.signals("prober"),
  );
  const { hostile, harmless, ...rest } = found?.payload ?? {};
  expect(rest).toEqual({
    keys: ["tick"],
    frozen: [true, true],
    set: expect.stringContaining("TypeError"),
    replace: expect.stringContaining("TypeError"),
    offers: ["$count", "$with", "all", "get", "select", "selectDistinct", "values", "with"],
    forbidden: [],
    raw: 0,
    rows: 1,
  });
  expect(hostile.length).toBeGreaterThanOrEqual(40);
  const ran = hostile.filter((tried: Record<string, string>) => Object.values(tried).includes("done"));
  expect(ran).toEqual([]);
  expect(harmless.filter((tried: Record<string, string>) => tried.all !== "done")).toEqual([]);
  expect(digests(folder.path)).toEqual(before);

  // What was read is let go again: the peer's owner moves on, its rows are seen, and nothing waits at the end.
  await nerve.post("/trigger", { name: "tick" });
  await until("tick has emitted again", () => nerve.signals("tick").length === 2);
  await nerve.post("/trigger", { name: "prober" });
  const [, again] = await until(
    "prober has emitted again",
    () => nerve.signals("prober").length === 2 && nerve.signals("prober"),
  );
  expect(again?.payload.rows).toBe(2);
  expect(await nerve.stop()).toBe(0);
  expect(nerve.logs({ event: "worker.exited" })).toEqual([]);
});

import { describe, expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { busyness, parseStat, type Ticks } from "../../senses/cpu-usage/proc-stat.ts";
import { openSense } from "../helpers/compute.ts";
import { until } from "../helpers/until.ts";

const STAT = `cpu  2984 10 2303 224507 306 0 31 14 5 0
cpu0 1206 0 995 112804 12 0 4 5 0 0
cpu1 1778 10 1307 111703 293 0 27 8 5 0
intr 168150 0 0 0
ctxt 329560
`;
const idle: Ticks = { user: 0, nice: 0, system: 0, idle: 0, iowait: 0, irq: 0, softirq: 0, steal: 0 };
const ticks = (given: Partial<Ticks>): Ticks => ({ ...idle, ...given });

test("a /proc/stat without the line of all processors is an error, not silence", () => {
  for (const text of ["", "intr 5\n", "cpu0 1 2 3 4 5 6 7 8\n", "cpu  1 2 x 4 5 6 7 8\n"]) {
    expect(() => parseStat(text, true), text).toThrow("/proc/stat does not report cpu");
  }
});

describe("/proc/stat", () => {
  test("the first line, and every core if asked", () => {
    const cpu = { user: 2984, nice: 10, system: 2303, idle: 224507, iowait: 306, irq: 0, softirq: 31, steal: 14 };
    expect(parseStat(STAT, false)).toEqual({ cpu });
    expect(Object.keys(parseStat(STAT, true))).toEqual(["cpu", "cpu0", "cpu1"]);
  });

  test("of a kernel from before steal", () => {
    expect(parseStat("cpu  1 2 3 4 5 6 7\n", false)).toEqual({
      cpu: { user: 1, nice: 2, system: 3, idle: 4, iowait: 5, irq: 6, softirq: 7, steal: 0 },
    });
  });
});

describe("busyness", () => {
  test("is shares of the ticks that passed", () => {
    const after = ticks({ user: 20, nice: 10, system: 5, irq: 1, softirq: 4, steal: 10, idle: 40, iowait: 10 });
    expect(busyness({ cpu: idle }, { cpu: after })?.all).toEqual({
      usage_percent: 50,
      user_percent: 30,
      system_percent: 5,
      iowait_percent: 10,
      irq_percent: 5,
      steal_percent: 10,
    });
  });

  test.each([
    ["no tick passed", { cpu: ticks({ user: 5 }) }, { cpu: ticks({ user: 5 }) }],
    ["the counters began anew", { cpu: ticks({ idle: 500 }) }, { cpu: ticks({ idle: 5 }) }],
    ["there is nothing to compare with", {}, { cpu: ticks({ idle: 5 }) }],
  ])("is not known when %s", (_, before, after) => {
    expect(busyness(before, after)).toBeNull();
  });

  test("counts iowait that steps back as none", () => {
    const usage = busyness({ cpu: ticks({ iowait: 10 }) }, { cpu: ticks({ iowait: 8, user: 50, idle: 50 }) });
    expect(usage?.all).toMatchObject({ usage_percent: 50, iowait_percent: 0 });
  });

  test("leaves out a core that came, and one that went", () => {
    const cpu = { cpu: idle, cpu0: idle, cpu1: idle };
    const after = { cpu: ticks({ user: 10 }), cpu0: ticks({ user: 10 }), cpu2: ticks({ user: 3 }) };
    expect(busyness(cpu, after)?.per_core_percent).toEqual({ cpu0: 100 });
  });
});

describe("compute", () => {
  /** A tick is 10 ms: computes until one has passed. */
  async function signal(sense: ReturnType<typeof openSense>, now?: number) {
    // biome-ignore lint/suspicious/noExplicitAny: a payload
    let payload: any = null;
    await until("there is a payload", async () => {
      payload = await sense.compute(now === undefined ? {} : { now });
      return payload !== null;
    });
    return payload;
  }

  test("is silent at first, then says and keeps the same", async () => {
    using sense = openSense("cpu-usage");
    expect(await sense.compute({ now: 1 })).toBeNull();
    const payload = await signal(sense, 2);
    expect(payload.usage_percent).toBeWithin(0, 100.01);
    expect(payload).not.toHaveProperty("per_core_percent");
    expect(sense.client.query("SELECT * FROM samples").all()).toEqual([{ id: 1, at: 2, ...payload }]);
  });

  test("says every core if asked", async () => {
    using sense = openSense("cpu-usage", { per_core: true });
    const seen = new Set<string>();
    await until("every core has been seen", async () => {
      for (const core of Object.keys((await sense.compute())?.per_core_percent ?? {})) seen.add(core);
      return seen.size >= availableParallelism();
    });
    expect([...seen]).toContain("cpu0");
  });

  test("sees a busy loop", async () => {
    using sense = openSense("cpu-usage", { per_core: true });
    await sense.compute();
    const end = performance.now() + 100;
    while (performance.now() < end);
    const { per_core_percent, user_percent } = await signal(sense);
    expect(Math.max(...(Object.values(per_core_percent) as number[]))).toBeGreaterThan(50);
    expect(user_percent).toBeGreaterThan(0);
  });

  test("begins anew after a reboot", async () => {
    using sense = openSense("cpu-usage");
    await sense.compute();
    sense.client.run("UPDATE counters SET boot_id = 'another'");
    expect(await sense.compute()).toBeNull();
    expect(await signal(sense)).not.toBeNull();
  });

  test("keeps what `keep` says, within a hundred rows, whatever the clock does", async () => {
    using sense = openSense("cpu-usage", { keep: "1m" });
    const now = 10_000_000;
    const insert = sense.client.prepare("INSERT INTO samples VALUES (?, ?, 0, 0, 0, 0, 0, 0)");
    for (let id = 1; id < 50; id++) insert.run(id, now - 60_001);
    for (let id = 50; id < 100; id++) insert.run(id, id < 99 ? now - 60_000 : now + 60_001);
    await sense.compute({ now });
    await signal(sense, now);
    expect(sense.client.query("SELECT count(*) AS n, min(at) AS first, max(at) AS last FROM samples").get()).toEqual({
      n: 50,
      first: now - 60_000,
      last: now,
    });
  });
});

import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { hostname } from "node:os";
import { drizzle } from "drizzle-orm/bun-sqlite";
import { type PeerDatabase, PeerNotReady, type Peers } from "nerve";
import { BUILT_IN_SENSES } from "../../senses/index.ts";
import type { BuiltInSenseName } from "../../senses/names.ts";
import { openSense } from "../helpers/compute.ts";

const NOW = 10_000_000;

const notReady = (sense: string): PeerDatabase =>
  new Proxy({} as PeerDatabase, {
    get: () => () => {
      throw new PeerNotReady(sense);
    },
  });

/** A peer's database with these rows in `samples`; columns not named are 0. */
function peer(use: BuiltInSenseName, ...rows: Record<string, number | string | null>[]): PeerDatabase {
  const client = new Database(":memory:", { strict: true });
  for (const { sql } of BUILT_IN_SENSES[use].migrations) client.run(sql);
  const columns = client
    .query<{ name: string }, []>("SELECT name FROM pragma_table_info('samples') WHERE name <> 'id'")
    .all()
    .map(({ name }) => name);
  const insert = client.prepare(
    `INSERT INTO samples (${columns.join(", ")}) VALUES (${columns.map((name) => `$${name}`).join(", ")})`,
  );
  for (const row of rows) {
    insert.run(
      Object.fromEntries(columns.map((name) => [name, name in row ? (row[name] ?? null) : name === "at" ? NOW : 0])),
    );
  }
  return drizzle({ client });
}

const all = (): Record<string, PeerDatabase> => ({
  "cpu-usage": peer("cpu-usage", { usage_percent: 10 }),
  memory: peer("memory", { used_percent: 50, swap_used_percent: null }),
  load: peer("load", { load5_per_core: 0.5 }),
  "disk-usage": peer("disk-usage", { path: "/", used_percent: 40, inodes_used_percent: 5 }),
  pressure: peer("pressure", { cpu_some_avg60_percent: 1 }),
});

async function health(peers: Peers, options: Record<string, unknown> = {}) {
  using sense = openSense("host-health", options);
  return await sense.compute({ now: NOW, peers });
}

describe("host-health", () => {
  test("is ok when everything is", async () => {
    const payload = await health(all());
    expect(payload).toMatchObject({ host: hostname(), status: "ok", reasons: [], skipped: [] });
    expect(payload.checks.map(({ check }: { check: string }) => check)).toEqual([
      "cpu_percent",
      "memory_percent",
      "load5_per_core",
      "disk_percent",
      "inodes_percent",
      "cpu_pressure_percent",
      "memory_pressure_percent",
      "io_pressure_percent",
    ]);
  });

  test.each([
    ["cpu-usage", { usage_percent: 90 }, "warning", "cpu-usage: cpu_percent is 90, a warning from 90"],
    ["memory", { used_percent: 95 }, "critical", "memory: memory_percent is 95, critical from 95"],
    ["memory", { swap_used_percent: 60 }, "warning", "memory: swap_percent is 60, a warning from 60"],
    ["load", { load5_per_core: 5 }, "critical", "load: load5_per_core is 5, critical from 5"],
    ["disk-usage", { path: "/", used_percent: 99 }, "critical", "disk-usage: disk_percent is 99, critical from 95"],
    [
      "disk-usage",
      { path: "/", inodes_used_percent: 85 },
      "warning",
      "disk-usage: inodes_percent is 85, a warning from 85",
    ],
    ["pressure", { io_some_avg60_percent: 50 }, "warning", "pressure: io_pressure_percent is 50, a warning from 50"],
  ] as const)("%s with %j is a %s", async (use, row, status, reason) => {
    expect(await health({ ...all(), [use]: peer(use, row) })).toMatchObject({ status, reasons: [reason] });
  });

  test("the worst decides", async () => {
    const peers = { ...all(), load: peer("load", { load5_per_core: 3 }), memory: peer("memory", { used_percent: 99 }) };
    const { status, reasons } = await health(peers);
    expect(status).toBe("critical");
    expect(reasons).toHaveLength(2);
  });

  test("limits are options, and null switches a check off", async () => {
    const options = { cpu_percent: { warning: 5 }, memory_percent: { warning: 1, critical: 2 }, load5_per_core: null };
    const { checks, status } = await health(all(), options);
    expect(status).toBe("critical");
    expect(checks.find(({ check }: { check: string }) => check === "cpu_percent")).toEqual({
      check: "cpu_percent",
      sense: "cpu-usage",
      value: 10,
      status: "warning",
      warning: 5,
      critical: 98,
    });
    expect(checks.some(({ check }: { check: string }) => check === "load5_per_core")).toBe(false);
  });

  test("cpu is the mean of a window, so one busy second is no finding", async () => {
    const row = (secondsAgo: number, usage_percent: number) => ({ at: NOW - secondsAgo * 1000, usage_percent });
    const peers = { "cpu-usage": peer("cpu-usage", row(120, 100), row(30, 20), row(1, 100), row(0, 30)) };
    expect((await health(peers)).checks).toMatchObject([{ value: 50 }]);
    expect((await health(peers, { window: "1s" })).checks).toMatchObject([{ value: 65 }]);
  });

  test("senses under other names are asked by their names", async () => {
    const peers = {
      "disk-root": peer("disk-usage", { path: "/", used_percent: 90 }),
      "disk-home": peer("disk-usage", { path: "/home" }),
    };
    const { reasons, skipped } = await health(peers, { disks: ["disk-root", "disk-home"], cpu: [] });
    expect(reasons).toEqual(["disk-root: disk_percent is 90, a warning from 85"]);
    expect(skipped.map(({ sense }: { sense: string }) => sense)).toEqual(["memory", "load", "pressure"]);
  });

  test("what cannot be asked is skipped, with why", async () => {
    const peers: Peers = {
      ...all(),
      load: notReady("load"),
      memory: peer("memory"),
      pressure: peer("pressure", { at: NOW - 3_600_000 }),
    };
    const { "disk-usage": _, ...rest } = peers;
    expect(await health(rest)).toMatchObject({
      status: "ok",
      skipped: [
        { sense: "memory", why: "not ready" },
        { sense: "load", why: "not ready" },
        { sense: "disk-usage", why: "not configured" },
        { sense: "pressure", why: "stale" },
      ],
    });
  });

  test("a peer called as something every object inherits is not configured", async () => {
    const { skipped } = await health(all(), { disks: ["disk-usage", "constructor"] });
    expect(skipped).toEqual([{ sense: "constructor", why: "not configured" }]);
  });

  test("the newest row counts, also after the clock was set back", async () => {
    const peers = { load: peer("load", { at: NOW + 5_000_000, load5_per_core: 9 }, { at: NOW, load5_per_core: 1 }) };
    expect(await health(peers)).toMatchObject({ status: "ok" });
  });

  test("is silent while no peer is ready", async () => {
    expect(await health({ load: notReady("load") })).toBeNull();
  });

  test("with no peer configured says what to configure", async () => {
    await expect(health({})).rejects.toThrow(
      "none of the senses to judge by is configured (cpu-usage, memory, load, disk-usage, pressure)",
    );
  });

  test("a sense of another make under a known name is named", async () => {
    const other = drizzle({ client: new Database(":memory:") });
    await expect(health({ load: other })).rejects.toThrow(
      'cannot read the samples of sense "load": no such table: samples',
    );
  });

  test("signals every time, or with changes_only when a check has become better or worse", async () => {
    const at = async (sense: ReturnType<typeof openSense>, used_percent: number) => {
      const payload = await sense.compute({ now: NOW, peers: { memory: peer("memory", { used_percent }) } });
      return payload?.status ?? null;
    };
    using every = openSense("host-health");
    expect([await at(every, 1), await at(every, 2)]).toEqual(["ok", "ok"]);
    expect(every.client.query("SELECT count(*) AS n FROM verdicts").get()).toEqual({ n: 0 });

    using changes = openSense("host-health", { changes_only: true });
    const seen = [];
    for (const used of [1, 2, 90, 91, 99, 90, 1, 1]) seen.push(await at(changes, used));
    expect(seen).toEqual(["ok", null, "warning", null, "critical", "warning", "ok", null]);
  });
});

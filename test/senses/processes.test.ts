import { describe, expect, test } from "bun:test";
import { pageBytes } from "nerve/proc";
import { census, watch } from "../../senses/processes/census.ts";
import { type Process, parsePidStat } from "../../senses/processes/pid-stat.ts";
import { consumption, ticksByProcess, topByCpu, topByMemory } from "../../senses/processes/top.ts";
import { openSense } from "../helpers/compute.ts";
import { until } from "../helpers/until.ts";

const stat = (pid: number, name: string) =>
  `${pid} (${name}) S 1 4805 4805 0 -1 4194304 101 0 0 0 30 12 0 0 20 0 3 0 115418 3133440 409 18446744073709551615 1 1\n`;

const someone: Process = {
  pid: 2,
  name: "a",
  state: "S",
  threads: 1,
  ticks: 0,
  started: 5,
  rss_pages: 0,
  command: null,
};
const init: Process = { ...someone, pid: 1, name: "init" };

describe("/proc/PID/stat", () => {
  test.each(["cat", "a b", "evil) R 1 (", "two\nlines", "()", ""])("of a process called %j", (name) => {
    expect(parsePidStat(stat(42, name))).toEqual({
      pid: 42,
      name,
      state: "S",
      threads: 3,
      ticks: 42,
      started: 115418,
      rss_pages: 409,
    });
  });

  test("that was cut short is none", () => {
    expect(parsePidStat("")).toBeNull();
    expect(parsePidStat("42 (ca")).toBeNull();
    expect(parsePidStat("42 (cat) S 1 2")).toBeNull();
  });

  test("pages are as large as the system says", () => {
    expect(pageBytes()).toBe(Number(Bun.spawnSync(["getconf", "PAGESIZE"]).stdout.toString()));
  });
});

describe("the census", () => {
  test("counts states", () => {
    const states = ["R", "S", "S", "D", "Z", "T", "t", "I"];
    const processes = states.map((state, index) => ({ ...init, pid: index + 1, state, threads: 2 }));
    expect(census(processes)).toEqual({
      visible: "all",
      total: 8,
      threads: 16,
      running: 1,
      sleeping: 2,
      blocked: 1,
      idle: 1,
      stopped: 2,
      zombie: 1,
    });
  });

  test("knows no number when others' processes are hidden", () => {
    expect(census([someone])).toMatchObject({ visible: "own", total: null, running: null, zombie: null });
  });
});

describe("watching", () => {
  const nginx = { ...someone, name: "nginx", command: "nginx: master process /usr/sbin/nginx", rss_pages: 3 };
  const patterns = { web: "nginx", master: "nginx: master*", db: "postgres*" };

  test("matches the name or the whole command line", () => {
    expect(watch([init, nginx, { ...nginx, command: "nginx: worker" }], patterns, 4096)).toEqual({
      web: { count: 2, rss_bytes: 24_576 },
      master: { count: 1, rss_bytes: 12_288 },
      db: { count: 0, rss_bytes: 0 },
    });
  });

  test("does not count a zombie", () => {
    expect(watch([init, { ...nginx, state: "Z" }], { web: "nginx" }, 4096).web?.count).toBe(0);
  });

  test("calls nobody missing who may be hidden", () => {
    expect(watch([nginx], patterns, 4096)).toEqual({
      web: { count: 1, rss_bytes: 12_288 },
      master: { count: 1, rss_bytes: 12_288 },
      db: { count: null, rss_bytes: null },
    });
  });
});

describe("the top", () => {
  test("by processor time since the last sample, a pid used again being another process", () => {
    const ticks = ticksByProcess([
      { ...someone, pid: 10, ticks: 100 },
      { ...someone, pid: 11, ticks: 900 },
      { ...someone, pid: 12, ticks: 0 },
    ]);
    expect(ticks).toEqual({ 10: [5, 100], 11: [5, 900] });
    const now = [
      { ...someone, pid: 10, ticks: 150 },
      { ...someone, pid: 11, ticks: 30, started: 800 },
      { ...someone, pid: 12, ticks: 10 },
      { ...someone, pid: 13, ticks: 0 },
    ];
    expect(topByCpu(consumption(now, { ticks }, 2), 2)).toEqual([
      { pid: 10, name: "a", cpu_percent: 25 },
      { pid: 11, name: "a", cpu_percent: 15 },
    ]);
  });

  test("by memory, kernel threads left out", () => {
    const processes = [
      { ...someone, pid: 10, rss_pages: 1 },
      { ...someone, pid: 11, rss_pages: 0 },
      { ...someone, pid: 12, rss_pages: 2 },
    ];
    expect(topByMemory(processes, 5, 4096).map(({ pid, rss_bytes }) => [pid, rss_bytes])).toEqual([
      [12, 8192],
      [10, 4096],
    ]);
  });
});

describe("on this host", () => {
  test("finds this process and what it uses", async () => {
    using sense = openSense("processes", {
      top: 50,
      watch: { self: `*${process.argv[1] ?? "bun"}*`, nobody: "no-such-name" },
    });
    const first = await sense.compute();
    expect(first).toMatchObject({ visible: "all", top_cpu: null, watched: { nobody: { count: 0 } } });
    expect(first.total).toBeGreaterThan(1);
    const own = first.top_memory.find(({ pid }: { pid: number }) => pid === process.pid);
    expect(own.rss_bytes / process.memoryUsage.rss()).toBeWithin(0.5, 1.5);

    await until("this process is among the busiest", async () => {
      const busy = performance.now() + 60;
      while (performance.now() < busy);
      const { top_cpu } = await sense.compute();
      return top_cpu?.some(
        ({ pid, cpu_percent }: { pid: number; cpu_percent: number }) => pid === process.pid && cpu_percent > 20,
      );
    });
  });

  test("keeps nothing when no top is asked for", async () => {
    using sense = openSense("processes", { top: 0 });
    expect(await sense.compute()).not.toHaveProperty("top_memory");
    expect(sense.client.query("SELECT count(*) AS n FROM counters").get()).toEqual({ n: 0 });
  });
});

/** The text that Prometheus reads, held against Debian's promtool where that is there. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Histogram } from "../../src/base/histogram.ts";
import { unwrittenSense } from "../../src/config/senses.ts";
import type { MetricsLook } from "../../src/control/metrics-look.ts";
import { exposition } from "../../src/metrics/exposition.ts";
import { NewestNumbers, type ReadingTime } from "../../src/metrics/newest-numbers.ts";
import { numbersOf } from "../../src/metrics/values.ts";
import type { MetricPaths, NerveConfig } from "../../src/model/config.ts";
import type { FleetStatus } from "../../src/model/fleet-status.ts";
import type { Origin } from "../../src/model/origin.ts";
import type { OtlpStatus } from "../../src/model/otlp-status.ts";
import { NO_TRIES } from "../../src/model/tries.ts";
import { openStoreReader, type StoreReader } from "../../src/store/open-reader.ts";
import { type ArchiveBench, archiveBench, june, NOW } from "../helpers/archive.ts";
import { complaintsOf, PROMTOOL } from "../helpers/prometheus.ts";

setDefaultTimeout(60_000);

let bench: ArchiveBench;
let store: StoreReader;

beforeAll(() => {
  bench = archiveBench();
  const append = (sense: string, payload: unknown): number =>
    bench.store.commit(() =>
      bench.store.signals.append({
        sense,
        at: june(30),
        payload: JSON.stringify(payload),
        cause: null,
        trace: "0".repeat(32),
      }),
    );
  append("disk", { 'C:\\a"b\nc': 1.5, deep: { used: 7, name: "x", list: [1, 2] }, nothing: null, yes: true });
  append("many", { list: new Array(10_000).fill(1) });
  append("odd", { "\ud800": 1, "\ud801": 2, a: 3 });
  append("some", { list: new Array(150).fill(1) });
  const opened = openStoreReader(bench.data, () => {});
  if (!opened.ok) throw new Error(opened.error.message);
  store = opened.value;
});

afterAll(() => {
  store.close();
  bench[Symbol.dispose]();
});

function seconds(...values: number[]) {
  const histogram = new Histogram([0.01, 0.1, 1]);
  for (const value of values) histogram.observe(value);
  return histogram.counts;
}

const senseOf = (name: string, id: number, isWell = true): MetricsLook["senses"][number] => ({
  name,
  isWell,
  signals: 3,
  last_signal: { id, at: june(30) },
  computes: { signal: 3, null: 1, error: 2, timeout: 0, killed: 0 },
  duration_seconds: seconds(0.005, 0.1, 0.5, 7),
});

const lookWith = (...senses: MetricsLook["senses"]): MetricsLook => ({
  senses,
  reflexes: [{ name: 'say "hi"', fired: 2, throttled: 1, missed: 0 }],
  workflows: [
    {
      name: "page",
      queued: 1,
      running: 2,
      sleeping: 0,
      ended: { completed: 4, failed: 1, cancelled: 0, "timed-out": 0, dropped: 0, joined: 0 },
      duration_seconds: seconds(2),
    },
  ],
  groups: [{ name: "default", restarts: 1 }],
  inboxes: [{ sense: "deploys", waiting: 3, dead: 1 }],
  commit_seconds: seconds(),
});

const configWith = (metrics: Readonly<Record<string, MetricPaths | null>>): NerveConfig =>
  ({
    senses: new Map(
      Object.entries(metrics).map(([name, paths]) => [name, { ...unwrittenSense(name), metrics: paths }]),
    ),
  }) as unknown as NerveConfig;

const ALL = configWith({ disk: "all", many: "all" });
const bytes = new Map([["logs.db", 4_096]]);
const UNHURRIED: ReadingTime = { isOver: false, rest: () => Promise.resolve() };
async function page(look: MetricsLook | null, config: NerveConfig = ALL): Promise<string[]> {
  const numbers = look === null ? new Map() : await new NewestNumbers().of(look, config, store, UNHURRIED);
  return exposition({ look, numbers, fleet: null, otlp: null, store, bytes }).split("\n");
}
const valuesIn = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith("nerve_signal_value{"));

describe("the page", () => {
  test("has every family of the contract", async () => {
    const text = (await page(lookWith(senseOf("disk", 1)))).join("\n");
    const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    expect(families).toEqual([
      "nerve_build_info gauge",
      "nerve_compute_duration_seconds histogram",
      "nerve_computes_total counter",
      "nerve_signals_total counter",
      "nerve_last_signal_timestamp_seconds gauge",
      "nerve_decisions_total counter",
      "nerve_runs gauge",
      "nerve_run_duration_seconds histogram",
      "nerve_inbox_items gauge",
      "nerve_group_restarts_total counter",
      "nerve_commit_duration_seconds histogram",
      "nerve_incidents_open gauge",
      "nerve_store_bytes gauge",
      "nerve_signal_value gauge",
      "nerve_signal_values_left_out gauge",
    ]);
  });

  test.skipIf(PROMTOOL === null)("is clean to promtool, whatever names and payloads hold", async () => {
    const text = (await page(lookWith(senseOf("disk", 1), senseOf("many", 2)))).join("\n");
    expect(await complaintsOf(text)).toBe("0: ");
    expect(await complaintsOf((await page(null)).join("\n"))).toBe("0: ");
    expect(await complaintsOf(text.replaceAll("nerve_signals_total", "nerve_signals"))).toContain("nerve_signals");
  });

  test("counts into buckets that hold all smaller ones", async () => {
    const lines = (await page(lookWith(senseOf("disk", 1)))).filter((line) =>
      line.startsWith("nerve_compute_duration"),
    );
    expect(lines).toEqual([
      'nerve_compute_duration_seconds_bucket{sense="disk",le="0.01"} 1',
      'nerve_compute_duration_seconds_bucket{sense="disk",le="0.1"} 2',
      'nerve_compute_duration_seconds_bucket{sense="disk",le="1"} 3',
      'nerve_compute_duration_seconds_bucket{sense="disk",le="+Inf"} 4',
      'nerve_compute_duration_seconds_sum{sense="disk"} 7.605',
      'nerve_compute_duration_seconds_count{sense="disk"} 4',
    ]);
  });

  test("counts what waits in inboxes, and what is dead", async () => {
    expect((await page(lookWith())).filter((line) => line.startsWith("nerve_inbox_items"))).toEqual([
      'nerve_inbox_items{sense="deploys",state="waiting"} 3',
      'nerve_inbox_items{sense="deploys",state="dead"} 1',
    ]);
  });

  test("says what lies on disk while the kernel is silent", async () => {
    const lines = (await page(null)).filter((line) => !line.startsWith("#"));
    expect(lines.map((line) => line.split("{")[0])).toEqual([
      "nerve_build_info",
      "nerve_incidents_open",
      "nerve_incidents_open",
      "nerve_incidents_open",
      "nerve_store_bytes",
      "",
    ]);
  });
});

const side = (state: "connected" | "offline") => ({ state, why: null, since: NOW, ...NO_TRIES });
const FLEET: FleetStatus = {
  host: "hub",
  servers: ["tls://nats"],
  out: { ...side("offline"), upto: 4, backlog: 7, sent: 3, lost: 2 },
  in: { ...side("connected"), pending: 5, behind: null, stored: 11 },
  conflicts: [],
  copied: null,
  stream: null,
  clocks: [],
  late: [],
  origins: { up: 1, silent: 1, missing: 6, late: 1, silent_hosts: [] },
};
const OTLP: OtlpStatus = {
  address: "https://otel",
  links: [{ kind: "logs", ...side("connected"), upto: 4, backlog: 1, sent: 9, refused: 2, lost: 0 }],
};
const origin = (host: string, state: "up" | "silent", at: number, gaps: number, missing: number) => ({
  ...{ host, state, at, gaps, missing, epoch: "e", upto: 9, signals: 4, late: gaps, since: at, heard: 0 },
});

describe("other hosts and receivers", () => {
  const textOf = (fleet: FleetStatus | null, origins: Origin[]): string =>
    exposition({
      ...{ look: null, numbers: new Map(), fleet, otlp: OTLP, bytes },
      store: { incidents: store.incidents, origins: { ...store.origins, all: () => origins } },
    });
  const seen = [
    origin("web1", "up", june(30), 0, 0),
    origin("web2", "silent", june(29), 1, 6),
    origin("web3", "silent", 0, 0, 0),
  ];

  test("have their links, what waits, and when each host was heard last", async () => {
    const text = textOf(FLEET, seen);
    expect(text.split("\n").filter((line) => /^nerve_(fleet|host|otlp)/.test(line))).toEqual([
      'nerve_fleet_link_up{direction="out"} 0',
      'nerve_fleet_link_up{direction="in"} 1',
      "nerve_fleet_signals_waiting 7",
      "nerve_fleet_signals_sent_total 3",
      "nerve_fleet_signals_lost_total 2",
      "nerve_fleet_frames_waiting 5",
      "nerve_fleet_behind_seconds 0",
      "nerve_fleet_signals_received_total 11",
      'nerve_fleet_hosts{state="up"} 1',
      'nerve_fleet_hosts{state="silent"} 2',
      "nerve_fleet_gaps_total 1",
      "nerve_fleet_signals_missing_total 6",
      "nerve_fleet_signals_late_total 1",
      `nerve_host_last_heard_timestamp_seconds{host="web1"} ${june(30) / 1_000}`,
      `nerve_host_last_heard_timestamp_seconds{host="web2"} ${june(29) / 1_000}`,
      "nerve_hosts_left_out 0",
      'nerve_otlp_link_up{kind="logs"} 1',
      'nerve_otlp_refusing{kind="logs"} 0',
      'nerve_otlp_waiting{kind="logs"} 1',
      'nerve_otlp_sent_total{kind="logs"} 9',
      'nerve_otlp_refused_total{kind="logs"} 2',
      'nerve_otlp_lost_total{kind="logs"} 0',
    ]);
    if (PROMTOOL !== null) expect(await complaintsOf(text)).toBe("0: ");
  });

  test("are at most 5,000 hosts, and the others are counted", () => {
    const many = Array.from({ length: 5_003 }, (_, n) => origin(`web${n}`, "up", june(30), 0, 0));
    const text = textOf(FLEET, many);
    expect(text.match(/^nerve_host_last_heard/gm)).toHaveLength(5_000);
    expect(text).toContain("\nnerve_hosts_left_out 3\n");
  });

  test("are not named where the configuration has no `fleet`, or nothing is received", () => {
    expect(textOf(null, seen)).not.toMatch(/nerve_(fleet|host)/);
    expect(textOf({ ...FLEET, in: null }, seen)).not.toMatch(/nerve_host|direction="in"|received/);
  });
});

describe("the numbers of a payload", () => {
  test("are series with what a label must escape escaped", async () => {
    expect(valuesIn(await page(lookWith(senseOf("disk", 1))))).toEqual([
      String.raw`nerve_signal_value{sense="disk",field="C:\\a\"b\nc"} 1.5`,
      'nerve_signal_value{sense="disk",field="deep.used"} 7',
      'nerve_signal_value{sense="disk",field="deep.list.0"} 1',
      'nerve_signal_value{sense="disk",field="deep.list.1"} 2',
    ]);
  });

  test("vanish with a sense that is not well, and where `metrics` does not ask for them", async () => {
    expect(valuesIn(await page(lookWith(senseOf("disk", 1, false))))).toEqual([]);
    expect(valuesIn(await page(lookWith({ ...senseOf("disk", 1), last_signal: null })))).toEqual([]);
    expect(valuesIn(await page(lookWith(senseOf("disk", 1)), configWith({ disk: null })))).toEqual([]);
  });

  test("are at most 100 of 10,000, and the rest is counted", async () => {
    const lines = await page(lookWith(senseOf("many", 2)));
    expect(valuesIn(lines)).toHaveLength(100);
    expect(lines).toContain('nerve_signal_values_left_out{sense="many"} 9900');
  });

  test("of 1,000 senses are at most 100 each, clean to promtool, and bounded in size", async () => {
    const senses = Array.from({ length: 1_000 }, (_, index) => senseOf(`sense-${index}`, 4));
    const config = configWith(Object.fromEntries(senses.map(({ name }) => [name, ["list"]])));
    const lines = await page(lookWith(...senses), config);
    expect(valuesIn(lines)).toHaveLength(100_000);
    expect(lines.filter((line) => / 50$/.test(line))).toHaveLength(1_000);
    expect(lines.join("\n").length).toBeLessThan(8_000_000);
    if (PROMTOOL !== null) expect(await complaintsOf(lines.join("\n"))).toBe("0: ");
  });

  test("that no time is left for are in the next answer, and no payload is read twice", async () => {
    const read: number[] = [];
    const byId = (id: number) => {
      read.push(id);
      return store.signals.byId(id);
    };
    const signals = { ...store.signals, byId };
    const newest = new NewestNumbers();
    const look = lookWith(senseOf("disk", 1), senseOf("many", 2));
    let turns = 0;
    const hurried: ReadingTime = {
      get isOver() {
        return turns > 0;
      },
      rest: async () => void turns++,
    };
    const first = await newest.of(look, ALL, { signals }, hurried);
    expect([...first].map(([sense, numbers]) => [sense, numbers?.values.size ?? null])).toEqual([
      ["disk", 4],
      ["many", null],
    ]);
    const text = exposition({ look, numbers: first, fleet: null, otlp: null, store, bytes });
    expect(text).toContain('nerve_signal_values_left_out{sense="many"} NaN');
    turns = 0;
    const second = await newest.of(look, ALL, { signals }, hurried);
    expect([...second].map(([sense, numbers]) => [sense, numbers?.values.size])).toEqual([
      ["disk", 4],
      ["many", 100],
    ]);
    expect(await newest.of(look, ALL, { signals }, hurried)).toEqual(second);
    expect(read).toEqual([1, 2]);
    const asked = configWith({ disk: ["deep.used"], many: null });
    expect((await newest.of(look, asked, { signals }, UNHURRIED)).get("disk")?.values).toEqual(
      new Map([["deep.used", 7]]),
    );
  });

  test("whose paths differ in halves of characters alone are one series", async () => {
    expect(valuesIn(await page(lookWith(senseOf("odd", 3)), configWith({ odd: "all" })))).toEqual([
      'nerve_signal_value{sense="odd",field="\ufffd"} 1',
      'nerve_signal_value{sense="odd",field="a"} 3',
    ]);
  });

  test("are those at and under the paths that were asked for, each once", async () => {
    const payload = { a: 1, b: { c: 2, d: { e: 3 } }, f: "4" };
    const at = (...paths: string[]) => Object.fromEntries(numbersOf(payload, paths).values);
    expect(at("a")).toEqual({ a: 1 });
    expect(at("b", "b.c")).toEqual({ "b.c": 2, "b.d.e": 3 });
    expect(at("f", "g.h", "a.b", "constructor.length")).toEqual({});
  });
});

import { beforeEach, describe, expect, test } from "bun:test";
import type { ShownTrouble, TroubleKind } from "../../src/model/shown-trouble.ts";
import { attentionOf } from "../../src/page/data/attention.ts";
import { chartsOf } from "../../src/page/data/charts.ts";
import { healthOf } from "../../src/page/data/health.ts";
import { linesOf } from "../../src/page/data/signal-lines.ts";
import { now, zone } from "../../src/page/state/clock.ts";
import { formatRoute, parseRoute } from "../../src/page/state/route.ts";
import { parseFilter, passes } from "../../src/page/words/filter.ts";
import { bytes, count, digits, percent, span, spelled, took, valued } from "../../src/page/words/numbers.ts";
import { spaced, summary, telling } from "../../src/page/words/payload.ts";
import { pipeline } from "../../src/page/words/pipeline.ts";
import { ago, clock, exactClock, moment, withShortTimes } from "../../src/page/words/times.ts";
import type { ReflexRow, ShownDecision } from "../../src/web/contract-reflexes.ts";
import { LIVE } from "./world/live.ts";
import { NOW, sense, signal } from "./world/shapes.ts";
import { troublesOf } from "./world/why.ts";

describe("numbers", () => {
  test.each([
    [0, "0 ms"],
    [0.4, "0.40 ms"],
    [5.3, "5.3 ms"],
    [141.4, "141 ms"],
    [999.6, "1.0 s"],
    [2_000, "2.0 s"],
    [9_960, "10 s"],
    [89_000, "1 min 29 s"],
    [3_568_000, "59 min 28 s"],
    [273_600_000, "3 d 4 h"],
  ])("%p ms took %p", (ms, text) => expect(took(ms)).toBe(text));

  test.each([
    [0, "0 s"],
    [-5, "0 s"],
    [999, "1 s"],
    [3_599_999, "1 h"],
    [259_200_000, "3 d"],
  ])("%p ms last %p", (ms, text) => expect(span(ms)).toBe(text));

  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [999.6, "1.00 kB"],
    [4_570_000, "4.57 MB"],
    [179_000, "179 kB"],
    [999_600, "1.00 MB"],
    [68_300_000_000, "68.3 GB"],
  ])("%p bytes are %p", (value, text) => expect(bytes(value)).toBe(text));

  test("three significant digits, and a thin space in thousands", () => {
    expect(
      [0.7432, 1.47, 14.83, 148.3, 954, 12_345.6, 1_234_567, 0.0001, Number.NaN, 99.98, 9.999].map(digits),
    ).toEqual(["0.743", "1.47", "14.8", "148", "954", "12\u202f346", "1\u202f234\u202f567", "0", "–", "100", "10.0"]);
    expect(count(-1_234)).toBe("-1\u202f234");
    expect([37.31, 100, 0].map(percent)).toEqual(["37.3 %", "100.0 %", "0.0 %"]);
  });

  test("a value is written by its unit, and nothing is never a zero", () => {
    expect(valued(null, "percent")).toBe("–");
    expect(valued(2, "seconds")).toBe("2.0 s");
    expect(valued(1_300, "bytes_per_second")).toBe("1.30 kB/s");
    expect(spelled("every 5s, 1m")).toBe("every 5 s, 1 min");
  });
});

describe("times", () => {
  beforeEach(() => {
    zone.value = "Europe/Berlin";
    now.value = NOW;
  });

  test("are those of the host's zone, with the date only on another day", () => {
    expect(clock(NOW)).toBe("07:28:24");
    expect(exactClock(NOW + 7)).toBe("07:28:24.007");
    expect(moment(NOW)).toBe("07:28:24");
    expect(moment(NOW - 86_400_000)).toBe("27 Nov 07:28:24");
    zone.value = "No/Where";
    expect(clock(NOW)).toBe("06:28:24");
  });

  test("an age is past, now or to come", () => {
    expect([NOW - 3_000, NOW - 1_000, NOW + 9_000].map(ago)).toEqual(["3 s ago", "now", "in 9 s"]);
  });
});

test("the URL holds the view and what is chosen in it, and an unknown view is Now", () => {
  const hash = "#/logs?q=a%20b%3Ac&level=warn";
  const { view, params } = parseRoute(hash);
  expect([view, params.q, params.level, params.sel]).toEqual(["logs", "a b:c", "warn", ""]);
  expect(formatRoute(view, params)).toBe("#/logs?q=a%20b%3Ac&level=warn");
  expect(parseRoute("#/nowhere?x=1").view).toBe("now");
  expect(parseRoute("").view).toBe("now");
});

test("a filter has words, keys and keys that must not be", () => {
  const row = { workflow: "drain", state: "failed", error: "Unit is masked" };
  const through = (text: string): boolean => passes(parseFilter(text), row);
  expect(through("MASKED workflow:drain -state:completed")).toBe(true);
  expect(through("workflow:page")).toBe(false);
  expect(through("-workflow:drain")).toBe(false);
  expect(through("  ")).toBe(true);
  expect(through("https://x")).toBe(false);
});

test("of a payload the telling field comes first, whatever the payload is", () => {
  expect(telling({ host: "vm", status: "critical" })).toEqual({ field: "status", value: "critical" });
  expect(telling({ a: [1], b: 3 })).toEqual({ field: "b", value: 3 });
  expect(telling(null)).toBeNull();
  expect(telling([])).toEqual({ field: "", value: [] });
  expect(summary({ used_percent: 5.7, total_bytes: 25e9, nested: {} })).toBe("used 5.7 %, total 25.0 GB");
  expect(summary("text")).toBe('"text"');
});

const queue: Pick<ReflexRow, "words"> = { words: ["when depth ≥ 500", "for 15s", "throttle 2m"] };
const decided = (outcome: string, later: ShownDecision["later"]): ShownDecision =>
  ({ outcome, later }) as ShownDecision;
const broken = { kind: "broken-off", signal: 1, at: 1 } as const;
const fired = { kind: "fired", signal: 1, at: 1, due: 1 } as const;

test.each([
  ["no-match", null, "when:stop"],
  ["holding", null, "when:pass for:wait"],
  ["holding", broken, "when:pass for:stop"],
  ["holding", fired, "when:pass for:pass throttle:pass fired:fire"],
  ["throttled", null, "when:pass for:pass throttle:stop"],
  ["no-edge", null, "when:pass edge:stop"],
  ["fired", null, "when:pass for:pass throttle:pass fired:fire"],
  ["opened", null, "when:pass opened:fire"],
  ["open", null, "when:pass open:stop"],
  ["not-loaded", null, "not loaded:stop"],
] as const)("a signal that is %p, later %p, came so far: %p", (outcome, later, steps) => {
  expect(
    pipeline(queue, decided(outcome, later))
      .map(({ word, state }) => `${word}:${state}`)
      .join(" "),
  ).toBe(steps);
});

test("the sentence names at most two causes, the worst ones, and how many more there are", () => {
  const items = attentionOf({ troubles: troublesOf(LIVE), senses: LIVE.senses, incidents: LIVE.incidents });
  const sentence = (shown: typeof items, all: number): string => healthOf(shown, all, null, NOW).sentence;
  expect(sentence(items, items.length)).toBe(
    "Critical for 1 min 14 s: queue thumbnails is stuck at 954, CPU is at 100 %, and 5 more.",
  );
  expect(sentence(items, 900)).toEndWith(", and 898 more.");
  expect(sentence(items.slice(0, 2), 2)).toBe(
    "Critical for 1 min 14 s: queue thumbnails is stuck at 954, and CPU is at 100 %.",
  );
  const checks = items.filter(({ id }) => id.startsWith("check:"));
  expect(sentence(checks, 1)).toBe("Critical for 39 s: CPU is at 100 %, limit 98 %.");
  expect(healthOf([], 0, NOW - 3 * 86_400_000, NOW)).toEqual({ tone: "ok", sentence: "Ok for 3 days." });
  expect(healthOf([], 0, null, NOW).sentence).toBe("Ok.");
});

const NO_TROUBLE = { id: null, key: null, check: null, severity: "warning", since: null, says: "refused" } as const;

test("a fleet and a receiver of OTLP that take nothing are no listener that is gone", () => {
  const titleOf = (name: string): string | undefined =>
    attentionOf({
      senses: [],
      incidents: [],
      troubles: [{ ...NO_TROUBLE, kind: "listener", name, state: "failed" }],
    }).map(({ title, command }) => `${title} · ${command}`)[0];
  expect(["http", "fleet", "otlp"].map(titleOf)).toEqual([
    "nerve does not listen for http · nerve status",
    "The fleet of this host is not well · nerve fleet check",
    "Not all that is sent by OTLP leaves · nerve status",
  ]);
  const silent = (name: string | null) => ({ ...NO_TROUBLE, kind: "hosts", name, state: "silent" }) as const;
  const clauses = attentionOf({ senses: [], incidents: [], troubles: [silent("web1"), silent(null)] });
  expect(clauses.map(({ clause }) => clause)).toEqual(["host web1 is silent", "other hosts are silent"]);
});

test("each kind of trouble says what to type", () => {
  const trouble = (kind: TroubleKind, state: string): ShownTrouble => ({
    kind,
    id: kind === "incident" || kind === "run" ? 7 : null,
    name: "x",
    state,
    severity: "critical",
    since: null,
    says: "because",
    key: null,
    check: { check: "cpu_percent", value: 99, limit: 98, by: "host-health", signal: 3 },
  });
  const commandOf = (kind: TroubleKind, state: string): string | undefined =>
    attentionOf({ troubles: [trouble(kind, state)], senses: [sense("x", {})], incidents: [] })[0]?.command;
  const asked = [
    ["incident", "open"],
    ["incident", "acked"],
    ["run", "failed"],
    ["sense", "failing"],
    ["sense", "quarantined"],
    ["workflow", "broken"],
    ["channel", "failing"],
    ["group", "stuck"],
    ["store", "held"],
    ["check", "critical"],
    ["hosts", "silent"],
  ] as const;
  expect(asked.map(([kind, state]) => commandOf(kind, state))).toEqual([
    "nerve ack 7",
    "nerve show incident:7",
    "nerve retry 7",
    "nerve once x",
    "nerve enable x",
    "nerve check",
    "nerve notify x",
    "nerve logs kernel -n 20",
    "df -h",
    "nerve signals x",
    "nerve fleet status",
  ]);
});

test("the charts stand in a fixed order, with the limits of host-health", () => {
  const charts = chartsOf([...LIVE.senses].reverse());
  expect(charts.map(({ title }) => title).slice(0, 4)).toEqual(["CPU", "CPU pressure", "Load per core", "Memory"]);
  expect(charts[0]?.limits).toEqual([
    { at: 90, tone: "warn" },
    { at: 98, tone: "crit" },
  ]);
});

test("a chart with limits draws first what host-health judges, and where that is a mean, host-health says where it was over", () => {
  const charts = chartsOf(LIVE.senses);
  const of = (title: string) => charts.find((chart) => chart.title === title);
  expect([of("CPU pressure")?.fields[0], of("Load per core")?.fields[0], of("Memory")?.fields[0]]).toEqual([
    "cpu_some_avg60_percent",
    "load5_per_core",
    "used_percent",
  ]);
  expect(of("CPU")?.judged).toMatchObject({ check: "cpu_percent", value: 100, status: "critical" });
  expect(of("Load per core")?.judged).toBeNull();
});

test("each mount of `disks` has a row of its own, the fullest four in the order of their paths, and none twice", () => {
  const mount = (path: string, used: number) => ({ path, used_percent: used, available_bytes: 2_000_000_000 });
  const payload = {
    mounts: [
      mount("/", 50),
      mount("/a", 10),
      mount("/b", 80),
      mount("/c", 90),
      mount("/var", 95),
      mount("/var/db", 70),
    ],
    more: 0,
  };
  const series = [{ name: "used_percent", unit: "percent", by: "path" }];
  const disks = sense("disks", { series, last: signal(1, "disks", NOW, payload) });
  const titles = (senses: Parameters<typeof chartsOf>[0]) => chartsOf(senses).map(({ title }) => title);
  expect(titles([disks])).toEqual(["Disk /b", "Disk /c", "Disk /var", "Disk /var/db"]);
  const row = chartsOf([disks])[0];
  expect([row?.of, row?.fields, row?.under, row?.fills]).toEqual(["/b", ["used_percent"], "2.00 GB free", true]);
  const usage = sense("var", {
    use: "disk-usage",
    last: signal(2, "var", NOW, { path: "/var/log", used_percent: 95 }),
  });
  expect(titles([disks, usage])).toEqual(["Disk /var/log", "Disk /", "Disk /b", "Disk /c", "Disk /var/db"]);
  expect(titles([{ ...disks, last: null }])).toEqual([]);
  expect(chartsOf([disks, { ...usage, state: "failing" }]).map(({ isOld }) => isOld)).toEqual([
    true,
    ...Array(4).fill(false),
  ]);
});

test("a sentence of the host loses its milliseconds, and the date of today", () => {
  zone.value = "UTC";
  now.value = NOW;
  const today = new Date(NOW).toISOString().slice(0, 10);
  expect(withShortTimes(`since #36 (${today} 06:20:18.004), until 2031-01-02 03:04:05.678`)).toBe(
    "since #36 (06:20:18), until 2031-01-02 03:04:05",
  );
});

test("short JSON is one line, long JSON is not", () => {
  expect(spaced({ queue: "mail\nbox", depth: 600 })).toBe('{ "queue": "mail\\nbox", "depth": 600 }');
  expect(spaced({ text: "x".repeat(80) })).toContain("\n  ");
});

test("the words ok, warning and critical can be drawn", () => {
  const row = (id: number, status: string) => signal(id, "host-health", NOW + id * 1_000, { status });
  const [line] = linesOf(["status"], [row(1, "ok"), row(2, "critical"), row(3, "odd")], {
    from: NOW,
    to: NOW,
    stepMs: 1,
  });
  expect([line?.unit, line?.max]).toEqual(["level", [0, 2]]);
});

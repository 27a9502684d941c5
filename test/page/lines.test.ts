import { describe, expect, test } from "bun:test";
import { filling } from "../../src/page/chart/filling.ts";
import { extent, lastOf, stretchesOver, unbroken, valueAt } from "../../src/page/chart/line.ts";
import { bandsOf, merged } from "../../src/page/chart/merged.ts";
import { ticksOf } from "../../src/page/chart/ticks.ts";
import { EventText } from "../../src/page/data/events-text.ts";
import { mergeLogs } from "../../src/page/data/log-feed.ts";
import { joinLines, stretchOf, withNext } from "../../src/page/data/series.ts";
import { linesOf } from "../../src/page/data/signal-lines.ts";
import { zone } from "../../src/page/state/clock.ts";
import { storyRows } from "../../src/page/story/rows.ts";
import { timelineOf } from "../../src/page/story/run-timeline.ts";
import { scaleOf } from "../../src/page/story/scale.ts";
import { columnsOf } from "../../src/page/views/graph/columns.ts";
import type { SeriesLine } from "../../src/web/contract-host.ts";
import { LIVE } from "./world/live.ts";
import { log, NOW, signal } from "./world/shapes.ts";
import { storyOf } from "./world/world.ts";

const line = (values: readonly (readonly [at: number, max: number])[]): SeriesLine => ({
  field: "x",
  unit: null,
  of: null,
  at: values.map(([at]) => at),
  min: values.map(([, max]) => max - 1),
  max: values.map(([, max]) => max),
});

test("the rest of a series is the same question for another stretch", () => {
  const path = "/api/v1/series?sense=cpu&field=a&field=b&from=1&to=100&width=99";
  expect(withNext(path, "to=40&width=39")).toBe("/api/v1/series?sense=cpu&field=a&field=b&from=1&to=40&width=39");
});

describe("a line", () => {
  const some = line([
    [0, 1],
    [10, 9],
    [20, 9],
    [30, 1],
    [200, 5],
  ]);

  test("is broken where four usual distances pass without a value", () => {
    expect(unbroken(some)).toEqual([
      [0, 4],
      [4, 5],
    ]);
    expect(unbroken(line([]))).toEqual([]);
    expect(unbroken(line([[5, 1]]))).toEqual([[0, 1]]);
  });

  test("has a value at a time as long as none is missing", () => {
    expect(valueAt(some, 25)).toBe(9);
    expect(valueAt(some, -1)).toBeNull();
    expect(valueAt(some, 1_100)).toBe(5);
    expect(valueAt(some, 2_000)).toBeNull();
    expect(valueAt(null, 3)).toBeNull();
  });

  test("says where it was over a limit, its ends and its newest value", () => {
    expect(stretchesOver(some, 9)).toEqual([[10, 30]]);
    expect(stretchesOver(some, 99)).toEqual([]);
    expect(stretchesOver(some, 5)).toEqual([
      [10, 30],
      [200, 210],
    ]);
    expect(extent(some)).toEqual([0, 9]);
    expect(lastOf(some)).toBe(5);
    expect(extent(line([]))).toBeNull();
  });

  test("a file system that grows says when it will be full, one that does not says so, and too little says nothing", () => {
    const hour = 3_600_000;
    const growing = line(Array.from({ length: 10 }, (_, nth) => [nth * hour, 50 + nth] as const));
    expect(filling(growing)).toBe("full in about 1 d");
    expect(filling(line(growing.at.map((at) => [at, 50] as const)))).toBe("not filling");
    expect(
      filling(
        line([
          [0, 1],
          [10, 2],
        ]),
      ),
    ).toBeNull();
  });
});

describe("pieces of a line", () => {
  test("lie on multiples of a pixel, so that a later piece takes the place of the end of an earlier one", () => {
    expect(stretchOf(1_234, 301_234, 300)).toEqual({ from: 1_000, to: 302_000, stepMs: 1_000 });
    const joined = joinLines(
      [
        line([
          [0, 1],
          [10, 2],
          [20, 3],
        ]),
      ],
      [
        line([
          [20, 30],
          [30, 40],
        ]),
      ],
      5,
      20,
    );
    expect(joined).toEqual([
      line([
        [10, 2],
        [20, 30],
        [30, 40],
      ]),
    ]);
  });

  test("a line that is new stands beside the others", () => {
    const other: SeriesLine = { ...line([[1, 1]]), of: "/var" };
    expect(joinLines([line([[1, 1]])], [other], 0, 0).map(({ of }) => of)).toEqual([null, "/var"]);
  });
});

test("server-sent events are read whatever the pieces in which they come", () => {
  const text =
    'id: s1.l2\nevent: log\ndata: {"a":\ndata: 1}\n\n: a comment\n\nevent: link\r\ndata: {}\r\n\r\nevent: log\ndata: 2\n\n';
  const whole = new EventText().read(text);
  expect(whole).toEqual([
    { id: "s1.l2", event: "log", data: '{"a":\n1}' },
    { id: "s1.l2", event: "link", data: "{}" },
    { id: "s1.l2", event: "log", data: "2" },
  ]);
  for (let size = 1; size < 8; size += 1) {
    const reader = new EventText();
    const pieces = text.match(new RegExp(`[\\s\\S]{1,${size}}`, "g")) ?? [];
    expect(pieces.flatMap((piece) => reader.read(piece))).toEqual(whole);
  }
});

test("logs are in the order of their ids, each once", () => {
  const rows = mergeLogs([log(3, NOW, {}), log(1, NOW, {})], [log(2, NOW, {}), log(3, NOW, { message: "again" })]);
  expect(rows.map(({ id, message }) => `${id}${message}`)).toEqual(["1", "2", "3again"]);
});

test("marks that would lie on each other are one, and bands are joined", () => {
  expect(
    merged([{ at: 1 }, { at: 2 }, { at: 50 }, { at: 200 }], 0, 100, 0.03).map(({ marks }) => marks.length),
  ).toEqual([2, 1]);
  const states = [
    { at: -10, tone: "ok" },
    { at: 20, tone: "ok" },
    { at: 40, tone: "crit" },
  ];
  expect(bandsOf(states, 0, 100)).toEqual([
    { from: 0, to: 40, tone: "ok" },
    { from: 40, to: 100, tone: "crit" },
  ]);
});

test("the axis has whole minutes, and whole hours of a zone that is not UTC", () => {
  zone.value = "UTC";
  expect(ticksOf(NOW - 300_000, NOW, 6).map(({ text }) => text)).toEqual(["06:24", "06:25", "06:26", "06:27", "06:28"]);
  zone.value = "Asia/Kolkata";
  expect(ticksOf(NOW - 86_400_000, NOW, 6).map(({ text }) => text)).toEqual(["12:00", "18:00", "00:00", "06:00"]);
});

describe("a run", () => {
  const run = LIVE.runs.find(({ id }) => id === 5);
  if (run === undefined) throw new Error("the made-up host has a run 5");
  const timeline = timelineOf(run, LIVE.logs, NOW);

  test("has attempts with their steps, and names what is kept of an attempt before", () => {
    expect(
      timeline.attempts.map(({ number, steps, kept, failed }) => ({
        number,
        steps: steps.map(({ name, tries }) => `${name} ${tries.length}`),
        kept,
        failed,
      })),
    ).toEqual([
      { number: 1, steps: ["stop producers 1", "restart consumer 2"], kept: [], failed: true },
      { number: 2, steps: ["restart consumer 2"], kept: ["stop producers"], failed: true },
    ]);
  });

  test("the parts of its time together are all of it", () => {
    const { queued, running, retry, sleeping } = timeline.split;
    expect(queued + running + retry + sleeping).toBe((run.ended_at ?? 0) - run.queued_at);
    expect(sleeping).toBe(0);
  });
});

test("a story stands under what began it: signal, signal, reflex, run, steps and logs", () => {
  const story = storyOf(LIVE, "run:2");
  if (story === null) throw new Error("the made-up host has a run 2");
  const rows = storyRows(story, NOW);
  expect(rows.map(({ depth, name }) => `${depth} ${name}`)).toEqual([
    "0 cpu-usage #232",
    "1 host-health #233",
    "2 page-on-trouble",
    "3 run 2, page",
    "4 find owner",
    "4 paging ops: critical on vm",
    "4 page",
    "4 look again",
    "4 load is back to 1.88",
  ]);
  expect(rows.filter(({ grave }) => grave).map(({ name }) => name)).toEqual(["page"]);
});

describe("the scale of a waterfall", () => {
  const times = [0, 100, 200, 300, 60_000, 60_100];

  test("folds what is empty, and never turns time around", () => {
    const scale = scaleOf(times, true);
    expect(scale.folds.map(({ from, to }) => [from, to])).toEqual([[300, 60_000]]);
    const places = times.map(scale.x);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBe(0);
    expect(places.at(-1)).toBeCloseTo(100, 6);
  });

  test("unfolded it is the time itself", () => {
    expect(scaleOf(times, false).folds).toEqual([]);
    expect(scaleOf(times, false).x(30_050)).toBeCloseTo(50, 6);
  });

  test("one moment, and none, are no division by zero", () => {
    expect(scaleOf([5], true).x(5)).toBe(0);
    expect(scaleOf([], true).x(5)).toBe(0);
    expect(scaleOf([0, 10_000], true).x(10_000)).toBeCloseTo(100, 6);
  });
});

test("every edge of the graph joins two nodes that are drawn", () => {
  const { nodes, edges } = columnsOf(LIVE.graph);
  expect(edges.flat().length).toBe(LIVE.graph.edges.length);
  for (const { from, to } of edges[0]) expect([nodes[0][from], nodes[1][to]]).not.toContain(undefined);
  expect(nodes[2].filter(({ repeated }) => repeated).every(({ node }) => node.kind === "sense")).toBe(true);
});

test("without a series a line is read off signals: each pixel once, with its lowest and highest value", () => {
  const rows = [
    signal(3, "x", 25, { value: 7 }),
    signal(1, "x", 10, { value: 5 }),
    signal(2, "x", 12, { value: 1 }),
    signal(4, "x", 31, { value: "text" }),
    signal(5, "x", 3, { value: 9 }),
    signal(6, "x", 32, [1]),
  ];
  const [line, none] = linesOf(["value", "other"], rows, { from: 10, to: 40, stepMs: 10 });
  expect(line).toMatchObject({ field: "value", at: [10, 20], min: [1, 7], max: [5, 7] });
  expect(none?.at).toEqual([]);
});

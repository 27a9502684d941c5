/** `backtest` on a store without a daemon: what comes out, beside what was recorded, and beside another configuration. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { BatchEstimate } from "../../../src/cli/replays/batch-estimate.ts";
import { DropEstimate } from "../../../src/cli/replays/drop-estimate.ts";
import type { WorkflowConfig } from "../../../src/model/config.ts";
import { workflowConfig } from "../../helpers/config.ts";
import { project, runNerve } from "../../helpers/nerve.ts";
import { type Recorded, recordedIn } from "../../helpers/recorded.ts";
import { workflowReflex } from "../../helpers/reflex.ts";

const SECOND = 1_000;
const BEGIN = Date.now() - 3_600_000;

const config = (...reflexes: string[]): string =>
  [
    "senses: { load: , memory: }",
    "workflows: { page: { use: exec, with: { command: [/bin/true] } } }",
    "reflexes:",
    ...reflexes,
  ]
    .map((line, index) => (index < 3 ? line : `  - ${line}`))
    .join("\n");

const HIGH = "{ name: high, workflow: page, on: [load], when: { v: number > 5 }, key: host }";
const HELD = "{ name: held, workflow: page, on: [load], when: { v: number > 5 }, for: 10s }";
const RARE = "{ name: rare, sense: memory, on: [load], when: { v: number > 5 }, throttle: 1m }";
const SILENT = "{ name: plain, sense: memory, interval: 1m, on: [load] }";

const folder = project({
  "nerve.yaml": config(HIGH, HELD, RARE, SILENT, "{ sense: load, interval: 1s }"),
  "other.yaml": config(HIGH.replace("> 5", "> 8"), HELD, RARE.replace("rare", "seldom")),
  "bad.yaml": "reflexes: 7\n",
});

let recorded: Recorded;

beforeAll(() => {
  recorded = recordedIn(folder.path, BEGIN);
  const { log } = recorded;
  const signal = (seconds: number, v: number, host: string) => recorded.signal(seconds, { v, host });
  log(0, "kernel", "kernel.started");
  signal(1, 3, "a");
  signal(2, 7, "a");
  log(2, "reflex:high", "reflex.fired", { signal: 2, key: "a", due: null, run: 1 });
  log(2, "reflex:rare", "reflex.fired", { signal: 2, key: null, due: null });
  signal(4, 9, "b");
  // It was disabled for a moment, and looked at nothing.
  log(3, "reflex:high", "disabled");
  log(5, "reflex:high", "enabled");
  log(12, "reflex:held", "reflex.fired", { signal: 3, key: null, due: BEGIN + 12 * SECOND, run: 2 });
  signal(20, 8, "a");
  log(20, "reflex:high", "reflex.fired", { signal: 4, key: "a", due: null, silenced: "high" });
  // Nothing the rules say.
  log(21, "reflex:held", "reflex.fired", { signal: 4, key: null, due: BEGIN + 21 * SECOND, run: 3 });
  // Other rules than those of today.
  signal(25, 6, "c");
  log(30, "kernel", "config.reloaded");
});

afterAll(() => {
  recorded[Symbol.dispose]();
  folder[Symbol.dispose]();
});

const nerve = (...args: string[]) => runNerve(folder.path, args);
const rows = async (...args: string[]) => {
  const { code, stdout, stderr } = await nerve("backtest", "--json", ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
};
const jsonLines = async (path: string, args: readonly string[]) => {
  const { stdout } = await runNerve(path, [...args, "--json"]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
};
const countsOf = ({ reflex, signals, matched, fired, throttled }: Record<string, unknown>) => [
  reflex,
  signals,
  matched,
  fired,
  throttled,
];

describe("by itself", () => {
  test("counts what each reflex that looks at signals saw, passed and fired for", async () => {
    expect((await rows()).map(countsOf)).toEqual([
      ["high", 5, 3, 3, 0],
      ["held", 5, 4, 1, 0],
      ["rare", 5, 4, 1, 3],
      ["plain", 5, 5, 5, 0],
    ]);
  });

  test("names what was recorded and not replayed, what the other way round, and what it may come from", async () => {
    const [high, held, rare, plain] = await rows();
    expect(high.live).toEqual({
      agreed: 2,
      only_live: 0,
      only_replay: 1,
      differences: [{ only: "replay", signal: 5, key: "c", due: null, at: BEGIN + 25 * SECOND }],
      reasons: ["disabled", "enabled", "config.reloaded"].map((event) => expect.objectContaining({ event })),
    });
    expect(held.live.differences).toEqual([
      { only: "live", signal: 4, key: null, due: BEGIN + 21 * SECOND, at: BEGIN + 21 * SECOND },
    ]);
    expect([held.live.agreed, rare.live.agreed, rare.live.differences]).toEqual([1, 1, []]);
    expect(plain.live).toBeNull();
  });

  test("of a range begins with what reflexes remember by then", async () => {
    const since = new Date(BEGIN + 3 * SECOND).toISOString().replace("Z", "+00:00");
    const until = new Date(BEGIN + 15 * SECOND).toISOString().replace("Z", "+00:00");
    expect((await rows("--since", since, "--until", until)).map(countsOf)).toEqual([
      ["high", 1, 0, 0, 0],
      ["held", 1, 1, 1, 0],
      ["rare", 1, 1, 0, 1],
      ["plain", 1, 1, 1, 0],
    ]);
  });

  test("of one reflex, with each firing", async () => {
    const [firing, row] = await rows("held", "--firings");
    expect(firing.firing).toEqual({
      reflex: "held",
      signal: 3,
      key: null,
      due: BEGIN + 12 * SECOND,
      at: BEGIN + 12 * SECOND,
    });
    expect(row.reflex).toBe("held");
  });

  test("says for people what differs", async () => {
    const { code, stdout } = await nerve("backtest", "high", "rare");
    expect(code).toBe(0);
    expect(stdout).toContain("2 agree, 1 differ");
    expect(stdout).toContain("high did not fire, and by the replay it would have:");
    expect(stdout).toContain("signal #5, key c");
    expect(stdout).toContain("config.reloaded");
  });
});

describe("--config: another configuration", () => {
  test("tells which firings only one of them has, and which reflexes", async () => {
    const found = await rows("--against", "other.yaml");
    expect(found.map(({ reflex, live, against }) => [reflex, live, against.change, against.fired])).toEqual([
      ["high", null, "changed", 1],
      ["held", null, "same", 1],
      ["rare", null, "gone", null],
      ["plain", null, "gone", null],
      ["seldom", null, "new", 1],
    ]);
    const { only_here, only_there, differences } = found[0].against;
    expect({ only_here, only_there }).toEqual({ only_here: 3, only_there: 0 });
    expect(differences.map(({ only, signal: id }: { only: string; signal: number }) => [only, id])).toEqual([
      ["here", 2],
      ["here", 4],
      ["here", 5],
    ]);
    expect(found[4].fired).toBeNull();
  });

  test("that is bad is refused with its problems", async () => {
    const { code, stderr } = await nerve("backtest", "--against", "bad.yaml");
    expect(code).toBe(78);
    expect(stderr).toContain("bad.yaml");
  });
});

test("a firing between a step of the clock and its log agrees", async () => {
  using place = project({ "nerve.yaml": config("{ name: rare, workflow: page, on: [load], throttle: 1s }") });
  using live = recordedIn(place.path, BEGIN);
  const back = -10_800;
  live.log(0, "kernel", "kernel.started", { ahead_ms: BEGIN });
  live.signal(1, 1);
  live.log(1, "reflex:rare", "reflex.fired", { signal: 1, key: null, due: null, run: 1 });
  live.signal(back + 3, 1);
  live.log(back + 3, "reflex:rare", "reflex.fired", { signal: 2, key: null, due: null, run: 2 });
  live.log(back + 3.5, "kernel", "clock.stepped", { by_ms: back * SECOND, ahead_ms: BEGIN + back * SECOND });
  live.signal(back + 5, 1);
  live.log(back + 5, "reflex:rare", "reflex.fired", { signal: 3, key: null, due: null, run: 3 });
  const [row] = await jsonLines(place.path, ["backtest"]);
  expect(row).toMatchObject({ fired: 3, live: { agreed: 3, only_live: 0, only_replay: 0 } });
});

describe("what a replay cannot know", () => {
  const backtested = async (path: string, ...args: string[]) => {
    const { code, stdout, stderr } = await runNerve(path, ["backtest", ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  };
  /** The answer goes on beside the damaged row, and the command ends with a finding. */
  const backtestedBesideDamage = async (path: string, ...args: string[]) => {
    const { code, stdout, stderr } = await runNerve(path, ["backtest", ...args]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("table signals, row 2: payload is") });
    return stdout;
  };

  test("signals whose retention is over are named as a reason", async () => {
    using place = project({ "nerve.yaml": config("{ name: rare, workflow: page, on: [load], throttle: 1h }") });
    using live = recordedIn(place.path, BEGIN);
    live.log(0, "kernel", "kernel.started");
    for (const second of [1, 2, 3]) live.signal(second, 1);
    live.log(1, "reflex:rare", "reflex.fired", { signal: 1, key: null, due: null, run: 1 });
    live.store.signals.removeOldest(BEGIN + 1_500, Date.now(), 10);
    const { live: found } = JSON.parse(await backtested(place.path, "--json"));
    expect(found).toMatchObject({ agreed: 0, only_replay: 1 });
    expect(found.reasons[0]).toMatchObject({ event: "signals.gone", at: BEGIN + 2_000 });
    expect(await backtested(place.path)).toContain("signals before #2 are no longer kept: their retention is over");
  });

  test("a damaged payload is named, and costs nothing else", async () => {
    using place = project({ "nerve.yaml": config("{ name: high, workflow: page, on: [load], when: number > 5 }") });
    using live = recordedIn(place.path, BEGIN);
    live.log(0, "kernel", "kernel.started");
    for (const [index, payload] of [7, undefined, 8].entries()) {
      live.signal(index + 1, payload);
      live.log(index + 1, "reflex:high", "reflex.fired", { signal: index + 1, key: null, due: null, run: index + 1 });
    }
    const { live: found } = JSON.parse(await backtestedBesideDamage(place.path, "--json"));
    expect(found).toMatchObject({ agreed: 2, only_live: 1, only_replay: 0 });
    expect(found.reasons).toContainEqual(expect.objectContaining({ event: "signals.damaged" }));
    expect(await backtestedBesideDamage(place.path)).toContain("the payload of signal #2 is no JSON");
    expect(await backtestedBesideDamage(place.path, "--against", "nerve.yaml")).toContain(
      "the payload of signal #2 is no JSON",
    );
  });

  test("a deadline after all that is recorded is undecided without a partner, and agrees with one", async () => {
    const paused = "{ name: paused, workflow: page, on: [load], debounce: { wait: 10s } }";
    using place = project({ "nerve.yaml": config(paused) });
    using live = recordedIn(place.path, BEGIN);
    live.log(0, "kernel", "kernel.started");
    live.signal(1, 1);
    const found = async () => JSON.parse(await backtested(place.path, "--json")).live;
    expect(await found()).toMatchObject({ agreed: 0, only_live: 0, only_replay: 0 });
    live.log(11, "reflex:paused", "reflex.fired", { signal: 1, key: null, due: BEGIN + 11 * SECOND, run: 1 });
    expect(await found()).toMatchObject({ agreed: 1, only_live: 0, only_replay: 0 });
    live.log(13, "reflex:paused", "reflex.fired", { signal: 9, key: null, due: BEGIN + 13 * SECOND, run: 2 });
    live.log(20, "kernel", "kernel.stopping");
    expect(await found()).toMatchObject({ agreed: 1, only_live: 1, only_replay: 0 });
  });
});

describe("usage", () => {
  test("an unknown reflex ends with 2 and the nearest name", async () => {
    const { code, stderr } = await nerve("backtest", "hihg");
    expect(code).toBe(2);
    expect(stderr).toContain("did you mean `high`?");
  });

  test("a time that is none ends with 2", async () => {
    const { code, stderr } = await nerve("backtest", "--until", "tomorrow");
    expect(code).toBe(2);
    expect(stderr).toContain("`--until` takes a time");
  });
});

describe("an estimate of dropped runs", () => {
  const workflow = (concurrency: number, maxQueue: number | "drop"): WorkflowConfig =>
    workflowConfig("w", { concurrency, maxQueue });
  const dropped = (config: WorkflowConfig, durations: number[], firings: number[]): number => {
    const estimate = new DropEstimate(config, durations);
    for (const at of firings) estimate.fire("r", at);
    return estimate.dropped.get("r") ?? 0;
  };

  test("drops what finds neither a slot nor a place in the queue", () => {
    expect(dropped(workflow(1, "drop"), [10], [0, 5, 10, 15])).toBe(2);
    expect(dropped(workflow(2, "drop"), [10], [0, 5, 10, 15])).toBe(0);
    expect(dropped(workflow(1, 1), [10], [0, 1, 2, 3, 20])).toBe(2);
  });

  test("gives a slot that becomes free to the queue, from the moment it became free", () => {
    expect(dropped(workflow(1, 1), [10], [0, 1, 19, 21])).toBe(0);
    expect(dropped(workflow(1, 1), [10, 100], [0, 1, 19, 21])).toBe(1);
  });
});

describe("an estimate of batches", () => {
  test("is one run for all decisions of a group within the wait", () => {
    const [one, two] = [workflowReflex({ name: "one", key: "host" }), workflowReflex({ name: "two" })];
    const begun = (by: string | null): Record<string, number> => {
      const estimate = new BatchEstimate({ waitMs: 10, by });
      for (const at of [0, 5, 9]) estimate.decide(one, `"h${at}"`, at);
      for (const at of [9, 10, 25]) estimate.decide(two, "null", at);
      return Object.fromEntries(estimate.begun);
    };
    expect(begun(null)).toEqual({ one: 1, two: 2 });
    expect(begun("reflex")).toEqual({ one: 1, two: 2 });
    expect(begun("host")).toEqual({ one: 3, two: 2 });
  });
});

describe("reflexes that the clock makes due", () => {
  const timed = (every: string): string => `senses: { load: }
workflows: { page: { use: exec, with: { command: [/bin/true] }, batch: { wait: 30s } } }
reflexes:
  - { name: often, workflow: page, interval: ${every} }
  - { name: nightly, workflow: page, cron: "* * * * *", tz: UTC }
  - { name: high, workflow: page, on: [load], when: { v: number > 5 } }
`;

  test("are counted from their words, with the time nerve was down, beside the runs they started", async () => {
    using place = project({ "nerve.yaml": timed("1m"), "other.yaml": timed("2m") });
    const begin = Math.floor((Date.now() - 3_600_000) / 60_000) * 60_000 + 1_000;
    using store = recordedIn(place.path, begin);
    store.log(0, "kernel", "kernel.started");
    for (const seconds of [1, 2, 3, 50]) store.signal(seconds, { v: 9 });
    store.log(59, "reflex:often", "reflex.fired", { signal: null, key: null, due: begin + 59_000, run: 1 });
    store.log(600, "kernel", "kernel.stopped");
    store.log(1_200, "kernel", "kernel.started");
    store.signal(1_800, { v: 1 });
    const until = new Date(begin + 1_800_000).toISOString();
    const lines = await jsonLines(place.path, ["backtest", "--until", until, "--against", "other.yaml"]);
    const byName = Object.fromEntries(lines.map((line) => [line.reflex, line]));
    // Ten minutes, ten minutes down, ten minutes: what passed meanwhile is one time for cron, and none for an interval.
    expect(byName.often).toMatchObject({ due: 20, live: { started: 1, missed: 0 }, against: { due: 10 } });
    expect(byName.nightly).toMatchObject({ due: 21 });
    expect(byName.high).toMatchObject({ fired: 4, batches_estimate: 2, dropped_estimate: null });
    const text = await runNerve(place.path, ["backtest", "often", "--until", until]);
    expect(text.stdout).toContain("often: due 20 times; 1 run was started, 0 due times missed");
    const all = await runNerve(place.path, ["backtest", "--until", until]);
    expect(all.stdout).toMatch(/high: its decisions would have begun about 2 runs, for they wait in batches$/m);
  });

  test("may begin more runs, where a batch is by a path whose values a replay does not know", async () => {
    const config = timed("1m").replace("wait: 30s", "wait: 30s, by: host");
    using place = project({ "nerve.yaml": config });
    using store = recordedIn(place.path, Date.now() - 3_600_000);
    for (const seconds of [1, 2]) store.signal(seconds, { v: 9, host: `web${seconds}` });
    const { stdout } = await runNerve(place.path, ["backtest", "high"]);
    expect(stdout).toContain("would have begun about 1 run, for they wait in batches, more where `host` differs\n");
  });
});

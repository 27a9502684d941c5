// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax under test
/** `explain` on a store without a daemon: how far a signal came, in words and as JSON. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Run } from "../../src/model/run.ts";
import { type KeyState, REST } from "../../src/rules/key-state.ts";
import { project, runNerve } from "../helpers/nerve.ts";
import { type Recorded, recordedIn } from "../helpers/recorded.ts";

const SECOND = 1_000;
const BEGIN = Date.now() - 3_600_000;
const TRACE = "0".repeat(32);
const REFLEXES = [
  "{ name: level, workflow: page, on: [load], when: { v: number > 5, host: \"'a' | 'b'\" } }",
  "{ name: rising, workflow: page, on: [load], when: { v: number > 5 }, edge: rising, key: host }",
  "{ name: falling, workflow: page, on: [load], when: { v: number > 5 }, edge: falling }",
  "{ name: held, workflow: page, on: [load], when: { v: number > 5 }, for: 10s, key: host }",
  "{ name: band, workflow: page, on: [load], when: { v: number > 5 }, clear: { v: number < 8 }, edge: level }",
  "{ name: counted, workflow: page, on: [load], count: { n: 3, within: 1h } }",
  "{ name: paused, workflow: page, on: [load], debounce: { wait: 30s } }",
  "{ name: seldom, workflow: page, on: [load], throttle: 1m }",
  "{ name: off, workflow: page, on: [load] }",
  "{ name: quiet, workflow: page, on: [load], throttle: 1s }",
  "{ name: to-sense, sense: memory, on: [load] }",
  "{ name: clock, sense: load, interval: 1m }",
  "{ name: filled, workflow: page, on: [load], when: { host: \"'${SECRET:-nobody}'\" } }",
];

const folder = project({
  "nerve.yaml": [
    "senses: { load: , memory: }",
    "workflows: { page: { use: exec, with: { command: [/bin/true] } } }",
    "reflexes:",
    ...REFLEXES.map((reflex) => `  - ${reflex}`),
    "",
  ].join("\n"),
});

let recorded: Recorded;
const run = (id: number, reflex: string, signalId: number, state: Run["state"], error: string | null): void => {
  const at = BEGIN + 2 * SECOND;
  const common = { input: null, output: null, attempt: 1, queued_at: at, started_at: at, ended_at: at + SECOND };
  const rest = { trace: TRACE, last_log_id: 1, retry_of: null, first_log_id: 1, until: null, key: null, events: 1 };
  recorded.store.commit(() =>
    recorded.store.runs.insert({
      id,
      workflow: "page",
      reflex,
      state,
      signal_id: signalId,
      error,
      decision: `signal:${signalId}`,
      ...common,
      ...rest,
    }),
  );
  recorded.log(2, `reflex:${reflex}`, "reflex.fired", { signal: signalId, key: null, due: null, run: id });
};

/** Elapsed time began with the first log. */
const remember = (reflex: string, key: string, state: Partial<KeyState>): void =>
  recorded.store.commit(() => {
    recorded.store.reflexes.set({ reflex, key, definition: "d", state: { ...REST, ...state } as never });
  });

beforeAll(() => {
  recorded = recordedIn(folder.path, BEGIN);
  const { store, log, signal } = recorded;
  const anchor = { moment: { wallMs: BEGIN, bootMs: 0, bootId: "boot" }, elapsedMs: 0 };
  store.commit(() => store.meta.set("lifetime", JSON.stringify(anchor)));
  log(0, "kernel", "kernel.started");
  signal(1, { v: 3, host: "a" });
  signal(2, { v: 7, host: "a" });
  signal(4, { v: 9, host: "a" });
  signal(5, { v: 9, host: "b" });
  signal(6, { v: 1, host: "b" });
  signal(7, { v: 1 }, "memory");
  signal(8, { v: 6 });
  signal(20, { v: 7, host: "a" });
  run(1, "level", 2, "completed", null);
  run(2, "level", 3, "dropped", "1 running already, and `overflow` is drop");
  run(3, "held", 3, "failed", "no such number\nat page");
  log(2, "reflex:off", "disabled");
  log(9, "reflex:paused", "reflex.cleared");
  log(20, "reflex:quiet", "reflex.fired", { signal: 8, key: null, due: null, silenced: "qui*" });
  store.commit(() => {
    store.switches.disable("reflex:off", BEGIN + 2 * SECOND);
    const silence = { pattern: "qui*", why: "moving house", at: BEGIN, until: Date.now() + 3_600_000, due: 7_200_000 };
    store.silences.set(silence);
  });
  remember("held", '"a"', { isMatching: true, holding: { due: 7_200_000, signal: 8, element: null } });
  remember("held", '"b"', { throttledUntil: 7_200_000 });
  // An hour has passed since the beginning.
  remember("counted", "", { counted: [0, 3_500_000] });
});

afterAll(() => {
  recorded[Symbol.dispose]();
  folder[Symbol.dispose]();
});

const nerve = (...args: string[]) => runNerve(folder.path, ["explain", ...args]);
const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await nerve(...args, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
};
/** Outcome and reason of one signal. */
const of = async (reflex: string, id: number) => {
  const [found] = (await json(reflex, "--signal", String(id))).signals;
  expect(found.id).toBe(id);
  return found;
};

describe("why a signal did not fire", () => {
  test("the fields that do not match, with what was expected", async () => {
    const found = await of("level", 1);
    expect(found.outcome).toBe("no-match");
    expect(found.mismatches).toEqual([{ path: "v", value: 3, missing: false, expected: "> 5" }]);
    expect((await of("level", 7)).because).toContain("`host` is not there, expected");
  });

  test("`clear` wins", async () => {
    expect((await of("band", 2)).because).toContain("`clear`");
  });

  test("no edge: since which signal it matches", async () => {
    const found = await of("rising", 3);
    expect(found.outcome).toBe("no-edge");
    expect(found.matching_since).toEqual({ signal: 2, at: BEGIN + 2 * SECOND });
    expect(found.because).toContain("matches already since signal #2");
    expect((await of("falling", 1)).because).toContain("did not before");
    expect((await of("falling", 3)).because).toContain("fires when matching ends");
  });

  test("counted so far", async () => {
    expect((await of("counted", 2)).because).toContain("2 of 3 within 1h");
    expect((await of("counted", 3)).outcome).toBe("fired");
  });

  test("throttled, since it had fired for another", async () => {
    const found = await of("seldom", 5);
    expect(found.outcome).toBe("throttled");
    expect(found.because).toContain("for signal #1");
  });

  test("disabled", async () => {
    const found = await json("off");
    expect(found).toMatchObject({ enabled: false, disabled_since: BEGIN + 2 * SECOND });
    expect(found.signals.map(({ outcome }: { outcome: string }) => outcome)).toEqual(Array(5).fill("disabled"));
    expect((await of("off", 1)).outcome).toBe("fired");
  });

  test("a sense it does not listen to", async () => {
    expect(await json("level", "--signal", "6")).toMatchObject({
      not_heard: "it does not listen to memory, only to load",
      signals: [],
    });
  });
});

describe("what a signal that waits came to", () => {
  test("`for` ran out, for the latest matching signal", async () => {
    const found = await of("held", 2);
    expect(found.outcome).toBe("holding");
    const due = BEGIN + 12 * SECOND;
    expect(found.later).toEqual({ kind: "fired", signal: 3, at: due, due });
    expect(found.run).toEqual({ id: 3, state: "failed", error: "no such number\nat page" });
  });

  test("`for` was broken off", async () => {
    expect((await of("held", 4)).later).toEqual({ kind: "broken-off", signal: 5, at: BEGIN + 6 * SECOND });
    expect((await of("held", 5)).outcome).toBe("broken-off");
  });

  test("`debounce` ran out", async () => {
    const found = await of("paused", 8);
    expect(found.outcome).toBe("debouncing");
    expect(found.later).toMatchObject({ kind: "fired", signal: 8, due: BEGIN + 50 * SECOND });
    expect(found.recorded).toBe(false);
  });

  test("the reflex forgot it, and what fired later was for another", async () => {
    const found = await of("paused", 7);
    expect(found.later).toEqual({ kind: "forgotten", signal: null, at: BEGIN + 9 * SECOND });
    expect(found.run).toBeNull();
    expect((await nerve("paused", "--signal", "7")).stdout).toMatch(/then forgotten at .*: the reflex was changed\n/);
  });
});

describe("what a firing led to", () => {
  test("a run and its state", async () => {
    const { stdout } = await nerve("level", "--signal", "2");
    expect(stdout).toContain("fired: run 1 of page, completed");
  });

  test("a run that was dropped", async () => {
    const { stdout } = await nerve("level", "--signal", "3");
    expect(stdout).toContain("run 2 of page, dropped: 1 running already");
  });

  test("nothing, as it was silenced", async () => {
    const found = await json("quiet", "--signal", "8");
    expect(found.silenced).toMatchObject({ pattern: "qui*", why: "moving house" });
    expect(found.signals[0]).toMatchObject({ outcome: "fired", silenced_by: "qui*", run: null });
  });

  test("a compute", async () => {
    expect((await nerve("to-sense", "--signal", "8")).stdout).toContain("fired: sense memory computes");
  });
});

test("what was filled into a pattern is not told", async () => {
  const environment = { SECRET: "hunter2" };
  for (const args of [["filled"], ["filled", "--json"]]) {
    const { code, stdout } = await runNerve(folder.path, ["explain", ...args], { environment });
    expect(code).toBe(0);
    expect(stdout).toContain("'${SECRET:-nobody}'");
    expect(stdout).not.toContain("hunter2");
  }
});

describe("which signals", () => {
  const ids = async (...args: string[]): Promise<number[]> =>
    (await json(...args)).signals.map(({ id }: { id: number }) => id);

  test("the latest ones it looked at", async () => expect(await ids("level")).toEqual([3, 4, 5, 7, 8]));
  test("of one key", async () => expect(await ids("rising", "--key", "a")).toEqual([1, 2, 3, 8]));
  test("the last one up to a time", async () => {
    const at = new Date(BEGIN + 5_500).toISOString().replace("Z", "+00:00");
    expect(await ids("level", "--at", at)).toEqual([4]);
  });
});

describe("what is pending now", () => {
  test("comes from what is stored, with its time", async () => {
    const { pending } = await json("held");
    expect(pending).toEqual([
      {
        key: "a",
        matching: true,
        matching_since: { at: BEGIN + 2 * SECOND, signal: 2 },
        incident: null,
        for_until: BEGIN + 7_200_000,
        debounce_until: null,
        counted: 0,
        throttled_until: null,
        signal: 8,
      },
      {
        key: "b",
        matching: false,
        matching_since: null,
        incident: null,
        for_until: null,
        debounce_until: null,
        counted: 0,
        throttled_until: BEGIN + 7_200_000,
        signal: null,
      },
    ]);
    const { stdout } = await nerve("held", "--key", "a");
    expect(stdout).toMatch(/now:\n {2}key a: matches; `for` runs out at .*, for signal #8\n$/);
  });
});

test("counted is what is within the window by now", async () => {
  expect((await json("counted")).pending).toMatchObject([{ key: null, counted: 1 }]);
  expect((await nerve("counted")).stdout).toContain("now:\n  has counted 1 signal of 3\n");
});

describe("usage", () => {
  const refused = async (code: number, text: string, ...args: string[]): Promise<void> => {
    const answer = await nerve(...args);
    expect(answer.code).toBe(code);
    expect(answer.stderr).toContain(text);
  };
  test("an unknown reflex: 2 and the nearest name", () => refused(2, "did you mean `rising`?", "risign"));
  test("an unknown signal: 2 and the oldest", () =>
    refused(2, "the oldest that is kept is #1", "level", "--signal", "99"));
  test("two questions at once", () => refused(2, "two questions", "level", "--signal", "1", "--at", "1h"));
  test("a time that is none", () => refused(2, "`--at` takes a time", "level", "--at", "noon"));
  test("a reflex of the clock only", async () => {
    const [head, next, ...rest] = (await nerve("clock")).stdout.split("\n");
    expect([head, rest]).toEqual(["clock is due every 1m and runs sense load", [""]]);
    expect(next).toMatch(/^next: \d{4}-\d\d-\d\d \d\d:\d\d:00/);
  });
  test("a workflow that the clock starts: what its newest due times led to", async () => {
    using other = project({
      "nerve.yaml": `senses: { load: }
workflows: { page: { use: exec, with: { command: [/bin/true] } } }
reflexes:
  - { name: nightly, workflow: page, cron: "0 3 * * *", tz: UTC, on_start: true }
`,
    });
    using store = recordedIn(other.path, BEGIN);
    store.log(1, "reflex:nightly", "reflex.fired", { signal: null, key: null, due: BEGIN, late_ms: 0, run: 7 });
    store.log(2, "reflex:nightly", "reflex.missed", null);
    const { stdout, code } = await runNerve(other.path, ["explain", "nightly"]);
    const lines = stdout.split("\n");
    expect([code, lines[0], lines.length]).toEqual([
      0,
      "nightly is due cron 0 3 * * * (UTC), at start and starts workflow page",
      5,
    ]);
    const { due_times: times, next_due: next } = JSON.parse(
      (await runNerve(other.path, ["explain", "nightly", "--json"])).stdout,
    );
    expect(times).toMatchObject([
      { due: BEGIN, run: null },
      { due: null, run: null },
    ]);
    expect(new Date(next).toISOString()).toEndWith("T03:00:00.000Z");
  });
});

describe("a store that is not whole", () => {
  const config = (reflex: string): string =>
    `senses: { load: , memory: }\nworkflows: { page: { use: exec, with: { command: [/bin/true] } } }\nreflexes:\n  - ${reflex}\n`;
  const KEYED = "{ name: keyed, workflow: page, on: [load], when: { v: number > 5 }, key: k }";
  const explained = async (path: string, ...args: string[]) => {
    const { code, stdout, stderr } = await runNerve(path, ["explain", ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  };
  /** The answer goes on beside the damaged row, and the command ends with a finding. */
  const explainedBesideDamage = async (path: string, ...args: string[]) => {
    const { code, stdout, stderr } = await runNerve(path, ["explain", ...args]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("table signals, row 2: payload is") });
    return stdout;
  };

  test("a damaged payload is named, and what came beside it is told", async () => {
    using other = project({ "nerve.yaml": config(KEYED) });
    using store = recordedIn(other.path, BEGIN);
    store.signal(1, { v: 7 });
    store.signal(2, undefined);
    store.signal(3, { v: 8 });
    const { signals, replayed } = JSON.parse(await explainedBesideDamage(other.path, "keyed", "--json"));
    expect(signals.map(({ outcome }: { outcome: string }) => outcome)).toEqual(["fired", "unreadable", "fired"]);
    expect(replayed.unreadable).toEqual([2]);
    expect(await explainedBesideDamage(other.path, "keyed", "--signal", "2")).toContain(
      "the payload of signal #2 is no JSON",
    );
  });

  test("signals whose retention is over are said to be gone", async () => {
    using other = project({ "nerve.yaml": config(KEYED) });
    using store = recordedIn(other.path, BEGIN);
    for (const second of [1, 2, 3]) store.signal(second, { v: 7 });
    expect(await explained(other.path, "keyed")).not.toContain("retention");
    store.store.signals.removeOldest(BEGIN + 2_500, Date.now(), 10);
    expect(await explained(other.path, "keyed")).toContain("signals before #3 are no longer kept");
    expect(JSON.parse(await explained(other.path, "keyed", "--json")).replayed).toMatchObject({
      from: 3,
      whole: false,
    });
  });

  test("keys that could be taken for another are in quotes", async () => {
    using other = project({ "nerve.yaml": config(KEYED) });
    using store = recordedIn(other.path, BEGIN);
    for (const k of [0, "0", "", "web-1"]) store.signal(1, { v: 7, k });
    store.signal(1, { v: 7 });
    const heads = (await explained(other.path, "keyed")).split("\n").filter((line) => line.includes(", key"));
    expect(heads.map((line) => line.slice(line.indexOf("key ")))).toEqual([
      "key 0",
      'key "0"',
      'key ""',
      "key web-1",
      "key null",
    ]);
  });

  test("a compute that could not be is not told of", async () => {
    using other = project({ "nerve.yaml": config("{ name: run, sense: memory, on: [load] }") });
    using store = recordedIn(other.path, BEGIN);
    store.signal(1, 1);
    store.log(2, "sense:memory", "disabled");
    store.signal(3, 1);
    store.log(4, "sense:memory", "enabled");
    store.log(4, "sense:memory", "sense.quarantined");
    store.signal(5, 1);
    store.log(6, "sense:memory", "sense.released");
    store.signal(7, 1);
    const told = (await explained(other.path, "run")).split("\n").filter((line) => line.includes("fired:"));
    expect(told.map((line) => line.trim())).toEqual([
      "fired: sense memory computes",
      "fired: sense memory was disabled, and computes nothing",
      "fired: sense memory was quarantined, and computes nothing",
      "fired: sense memory computes",
    ]);
  });
});

/** What a worker's user code may take, judged without a worker; and the driver on a clock driven by hand. */
import { describe, expect, test } from "bun:test";
import { Ticker } from "../../../src/kernel/time/ticker.ts";
import { type Activity, judgeLimits, Limits, SILENCE_MS } from "../../../src/kernel/workers/limits.ts";
import { HandClock } from "../../helpers/hand-clock.ts";

const NEVER = Number.POSITIVE_INFINITY;

const activity = (task: string, startedAt: number, softMs: number, hardMs: number): Activity<string> => ({
  task,
  startedAt,
  softMs,
  hardMs,
  loading: false,
  heldBefore: null,
});

describe("judgement", () => {
  const one = activity("one", 100, 1_000, 3_000);
  const two = activity("two", 500, NEVER, 2_000);
  const endless = activity("endless", 0, NEVER, NEVER);
  const rows: readonly {
    readonly claim: string;
    readonly activities: readonly Activity<string>[];
    readonly owesAnswer?: boolean;
    readonly now: number;
    readonly overdue: string | null;
    readonly late: readonly string[];
    readonly isSilent?: boolean;
    readonly nextAt: number;
  }[] = [
    { claim: "before every limit", activities: [one, two], now: 600, overdue: null, late: [], nextAt: 1_350 },
    {
      claim: "at the soft limit, while its worker may still report it",
      activities: [one],
      now: 1_100,
      overdue: null,
      late: [],
      nextAt: 1_350,
    },
    { claim: "after the soft limit", activities: [one, two], now: 1_350, overdue: null, late: ["one"], nextAt: 2_500 },
    { claim: "at a hard limit", activities: [one, two], now: 2_500, overdue: "two", late: ["one"], nextAt: 2_500 },
    {
      claim: "who has passed both limits is not late but overdue",
      activities: [one],
      now: 3_100,
      overdue: "one",
      late: [],
      nextAt: 1_350,
    },
    { claim: "without limits", activities: [endless], now: 1e12, overdue: null, late: [], nextAt: NEVER },
    { claim: "nothing under way and nothing owed", activities: [], now: 1e12, overdue: null, late: [], nextAt: NEVER },
    {
      claim: "an answer is owed",
      activities: [],
      owesAnswer: true,
      now: SILENCE_MS - 1,
      overdue: null,
      late: [],
      nextAt: SILENCE_MS,
    },
    {
      claim: "an answer is owed for too long",
      activities: [],
      owesAnswer: true,
      now: SILENCE_MS,
      overdue: null,
      late: [],
      isSilent: true,
      nextAt: SILENCE_MS,
    },
    {
      claim: "who runs may be deaf",
      activities: [endless],
      owesAnswer: true,
      now: 1e12,
      overdue: null,
      late: [],
      nextAt: NEVER,
    },
  ];
  for (const { claim, activities, owesAnswer = false, now, overdue, late, isSilent = false, nextAt } of rows) {
    test(claim, () => {
      const judged = judgeLimits({ activities, heardAt: 0, owesAnswer }, now);
      expect({ ...judged, overdue: judged.overdue?.task ?? null, late: judged.late.map(({ task }) => task) }).toEqual({
        overdue,
        late: [...late],
        isSilent,
        nextAt,
      });
    });
  }

  test("the kernel reports a soft limit before the hard one, however close they are", () => {
    const close = activity("close", 0, 100, 120);
    expect(judgeLimits({ activities: [close], heardAt: 0, owesAnswer: false }, 110).late).toEqual([close]);
  });
});

function driven() {
  const clock = new HandClock();
  const ticker = new Ticker(clock, () => {}, clock.alarm);
  ticker.start();
  const events: string[] = [];
  let owesAnswer = false;
  /** Who has begun unseen, and when; and how soon it may pass a limit. */
  const unseen: { readonly task: string; readonly at: number }[] = [];
  let soonestMs = NEVER;
  const limits: Limits<string> = new Limits<string>(ticker, {
    reveal: () => {
      for (const { task, at } of unseen.splice(0))
        limits.begins(task, at, { softMs: 1_000, hardMs: 2_000, loading: false }, 0);
    },
    soonestMs: () => soonestMs,
    owesAnswer: () => owesAnswer,
    late: ({ task }) => events.push(`late ${task}`),
    overdue: ({ task }) => events.push(`overdue ${task}`),
    silent: () => events.push("silent"),
  });
  const owe = (owes: boolean): void => {
    owesAnswer = owes;
  };
  const begin = (task: string, softMs: number, hardMs: number): void => {
    limits.hears();
    limits.begins(task, limits.heardAt, { softMs, hardMs, loading: false }, 0);
  };
  /** An answer is owed, by somebody who begins unseen after `afterMs`. */
  const sends = (task: string, afterMs: number): void => {
    owesAnswer = true;
    soonestMs = 1_250;
    unseen.push({ task, at: ticker.awakeMs() + afterMs });
    limits.expects();
  };
  return { clock, ticker, limits, events, owe, begin, sends };
}

describe("a driver", () => {
  test("reports a late task once, and an overdue one at its limit", () => {
    const { clock, events, begin } = driven();
    begin("a", 1_000, 6_000);
    clock.pass(1_200);
    expect(events).toEqual([]);
    clock.pass(100);
    expect(events).toEqual(["late a"]);
    clock.pass(4_600);
    expect(events).toEqual(["late a"]);
    clock.pass(200);
    expect(events).toEqual(["late a", "overdue a"]);
  });

  test("reports nothing of a task that has ended, and keeps looking at the others", () => {
    const { clock, limits, events, begin } = driven();
    begin("a", 1_000, 2_000);
    clock.pass(500);
    begin("b", 1_000, 2_000);
    limits.ends("a");
    clock.pass(1_900);
    expect(events).toEqual(["late b"]);
    clock.pass(200);
    expect(events).toEqual(["late b", "overdue b"]);
  });

  test("a hard limit can be set anew, from now on", () => {
    const { clock, limits, events, begin } = driven();
    begin("run", NEVER, NEVER);
    clock.pass(60_000);
    limits.extend("run", 5_000);
    clock.pass(4_999);
    expect(events).toEqual([]);
    clock.pass(2);
    expect(events).toEqual(["overdue run"]);
  });

  test("reports silence only while an answer is owed, and counts it from the newest message", () => {
    const { clock, limits, events, owe } = driven();
    owe(true);
    limits.expects();
    clock.pass(8_000);
    limits.hears();
    clock.pass(9_000);
    expect(events).toEqual([]);
    clock.pass(1_001);
    expect(events).toEqual(["silent"]);
  });

  test("of two tasks that ran together neither was alone", () => {
    const { limits, begin } = driven();
    limits.begins("a", 0, { softMs: NEVER, hardMs: NEVER, loading: false }, 77);
    expect(limits.activities.map(({ heldBefore }) => heldBefore)).toEqual([77]);
    begin("b", NEVER, NEVER);
    expect(limits.activities.map(({ heldBefore }) => heldBefore)).toEqual([null, null]);
  });
});

describe("what has begun unseen", () => {
  test("is late and overdue at its limits, counted from its begin", () => {
    const { clock, events, sends } = driven();
    sends("spinner", 600);
    clock.pass(1_849);
    expect(events).toEqual([]);
    clock.pass(1);
    expect(events).toEqual(["late spinner"]);
    clock.pass(749);
    expect(events).toEqual(["late spinner"]);
    clock.pass(1);
    expect(events).toEqual(["late spinner", "overdue spinner"]);
  });

  test("is no silence of its worker", () => {
    const { clock, events, sends, limits } = driven();
    sends("spinner", 0);
    clock.pass(1_300);
    limits.extend("spinner", 60_000);
    clock.pass(50_000);
    expect(events).toEqual(["late spinner"]);
  });
});

describe("a pause of everything", () => {
  for (const [what, pauseMs] of [
    ["of four seconds", 4_000],
    ["of a day", 86_400_000],
  ] as const) {
    test(`${what} takes nothing off what was under way`, () => {
      const { clock, events, begin } = driven();
      begin("a", 1_500, 2_500);
      clock.pass(300);
      clock.freeze(pauseMs);
      clock.pass(0);
      expect(events).toEqual([]);
      // What it would have had left, and up to the second that may be counted twice.
      clock.pass(1_000);
      expect(events).toEqual([]);
      clock.pass(2_300);
      expect(events).toEqual(["late a", "overdue a"]);
    });
  }

  test("is no silence, whichever comes first after it: the alarm or a message", () => {
    const { clock, limits, events, owe } = driven();
    owe(true);
    limits.expects();
    clock.pass(1_500);
    clock.freeze(60_000);
    limits.hears();
    clock.pass(9_900);
    expect(events).toEqual([]);
  });

  test("that is suspend makes nobody late either", () => {
    const { clock, events, begin } = driven();
    begin("a", 1_500, 2_500);
    clock.pass(300);
    clock.suspend(3_600_000);
    clock.pass(1_000);
    expect(events).toEqual([]);
  });

  test("three in a row, each between two looks, are all taken out", () => {
    const { clock, ticker, events, begin } = driven();
    begin("a", 5_000, 6_000);
    for (let round = 0; round < 3; round++) {
      clock.pass(500);
      clock.freeze(10_000);
      clock.pass(1);
    }
    expect(events).toEqual([]);
    expect(ticker.awakeMs()).toBeLessThanOrEqual(1_503);
  });
});

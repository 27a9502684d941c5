/** The kernel's one timer, with a clock and an alarm driven by hand: nothing here waits. */
import { describe, expect, test } from "bun:test";
import { Ticker } from "../../../src/kernel/time/ticker.ts";
import { type Calendar, cronCalendar, intervalCalendar } from "../../../src/rules/calendar.ts";
import { LINEAR, timesSlower } from "../../helpers/growth.ts";
import { HandClock } from "../../helpers/hand-clock.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TEN_YEARS = 3_652 * DAY;

interface Fired {
  readonly due: number;
  readonly skipped: number;
  readonly wall: number;
  readonly monotonic: number;
}

function setting() {
  const clock = new HandClock(Date.UTC(2025, 0, 1, 12));
  const steps: number[] = [];
  const ticker = new Ticker(clock, (byMs) => steps.push(byMs), clock.alarm);
  ticker.start();
  const every = (calendar: Calendar, atMostEveryMs: number | null) => {
    const fired: Fired[] = [];
    const handle = ticker.every({
      calendar,
      atMostEveryMs,
      fire: (due, skipped) => fired.push({ due, skipped, wall: clock.wallMs(), monotonic: clock.monotonicMs() }),
    });
    return { fired, handle };
  };
  return {
    clock,
    steps,
    ticker,
    interval: (ms: number) => every(intervalCalendar(ms, 0), ms),
    cron: (expression: string) => every(cronCalendar(expression, "UTC"), null),
  };
}

test("a pause of this process is no step of the clock, whichever look at a clock the pause follows", () => {
  for (let looks = 0; looks < 40; looks++) {
    const clock = new HandClock();
    clock.holdUp(looks, 700);
    const steps: number[] = [];
    const ticker = new Ticker(clock, (byMs) => steps.push(byMs), clock.alarm);
    ticker.start();
    clock.pass(10_000);
    expect([looks, steps]).toEqual([looks, []]);
    clock.step(DAY);
    clock.pass(2_000);
    expect([looks, steps]).toEqual([looks, [DAY]]);
  }
});

describe("an interval", () => {
  test("fires on its multiples, each time once", () => {
    const { clock, interval } = setting();
    clock.pass(1_234);
    const { fired } = interval(5_000);
    clock.pass(20_000);
    expect(fired.map(({ due }) => due % 5_000)).toEqual([0, 0, 0, 0]);
    expect(fired.every(({ due, wall, skipped }) => wall >= due && wall - due < 2 && skipped === 0)).toBe(true);
  });

  test("fires no more once it is cancelled, also by another that is due with it", () => {
    const { clock, ticker, interval } = setting();
    const { fired, handle } = interval(1_000);
    ticker.after(2_500, () => handle.cancel());
    clock.pass(10_000);
    expect(fired).toHaveLength(2);
  });

  test("those due together fire at one moment, in one wake", () => {
    const { clock, interval } = setting();
    const [a, b, c] = [interval(2_000), interval(4_000), interval(8_000)];
    const before = clock.rings;
    clock.pass(8_000);
    expect([a, b, c].map(({ fired }) => fired.length)).toEqual([4, 2, 1]);
    expect(new Set([a, b, c].map(({ fired }) => fired.at(-1)?.wall)).size).toBe(1);
    expect(clock.rings - before).toBeLessThanOrEqual(9);
  });

  test("counts the times that passed while the machine slept, and fires for the newest", () => {
    const { clock, interval, steps } = setting();
    const { fired } = interval(10_000);
    clock.pass(10_000);
    clock.suspend(65_000);
    clock.pass(1_000);
    expect(fired).toHaveLength(2);
    expect(fired[1]).toMatchObject({ skipped: 5 });
    expect(((fired[1] as Fired).due - (fired[0] as Fired).due) / 10_000).toBe(6);
    clock.pass(10_000);
    expect([fired.length, fired[2]?.skipped, steps]).toEqual([3, 0, []]);
  });

  test.each([DAY, -DAY, TEN_YEARS, -TEN_YEARS, 61_500, -61_500])(
    "a clock set by %d ms: it is told once, re-aligns at once, and never waits longer than itself",
    (by) => {
      const { clock, interval, steps } = setting();
      const { fired } = interval(60_000);
      clock.pass(90_000);
      clock.step(by);
      clock.pass(300_000);
      expect(steps).toEqual([by]);
      const gaps = fired.slice(1).map(({ monotonic }, index) => monotonic - (fired[index] as Fired).monotonic);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(60_001);
      expect(fired.slice(-3).map(({ due }) => due % 60_000)).toEqual([0, 0, 0]);
      expect(fired.length).toBeWithin(6, 8);
      expect(fired.reduce((sum, { skipped }) => sum + skipped, 0)).toBe(0);
    },
  );

  test("a step is noticed within a second, however often something else is put off meanwhile", () => {
    const { clock, ticker, interval, steps } = setting();
    const { fired } = interval(1_000);
    clock.pass(1_500);
    clock.step(-DAY);
    for (let time = 0; time < 20; time++) {
      clock.pass(100);
      ticker.after(60_000, () => {});
    }
    expect(steps).toEqual([-DAY]);
    expect(fired.length).toBeGreaterThanOrEqual(3);
  });

  test("slewing of the clock is no step", () => {
    const { clock, interval, steps } = setting();
    const { fired } = interval(1_000);
    for (let second = 0; second < 100; second++) {
      clock.pass(1_000);
      clock.step(-50);
    }
    expect(steps).toEqual([]);
    expect(fired.length).toBeWithin(93, 97);
  });
});

describe("a cron time", () => {
  test("fires at its times, and never if it never comes", () => {
    const { clock, cron } = setting();
    const [hourly, never] = [cron("0 * * * *"), cron("0 0 30 2 *")];
    clock.pass(3 * HOUR);
    expect(hourly.fired.map(({ due }) => new Date(due).getUTCHours())).toEqual([13, 14, 15]);
    expect(never.fired).toEqual([]);
    never.handle.cancel();
  });

  test("that passed several times while the machine slept fires once, for the newest", () => {
    const { clock, cron } = setting();
    const { fired } = cron("*/5 * * * *");
    clock.pass(60_000);
    clock.suspend(HOUR);
    clock.pass(1_000);
    expect(fired.map(({ due }) => new Date(due).toISOString().slice(11, 16))).toEqual(["13:00"]);
    clock.pass(5 * 60_000);
    expect(fired).toHaveLength(2);
  });

  test("a clock set ahead by ten years runs it once, for no more than one year would cost, and goes on", () => {
    const ahead = (ms: number) => {
      const { clock, cron } = setting();
      const { fired } = cron("* * * * *");
      clock.step(ms);
      clock.pass(1_000);
      return { clock, fired };
    };
    // Ten times the minutes: a walk through them would cost ten times as much.
    expect(
      timesSlower(
        () => ahead(TEN_YEARS),
        () => ahead(TEN_YEARS / 10),
        1,
      ),
    ).toBeLessThan(LINEAR);
    const { clock, fired } = ahead(TEN_YEARS + 30_000);
    expect(fired).toHaveLength(1);
    expect((fired[0] as Fired).wall - (fired[0] as Fired).due).toBeLessThan(60_000);
    clock.pass(60_000);
    expect(fired).toHaveLength(2);
  });

  test.each([HOUR, 2.5 * HOUR])("a clock set back by %d ms repeats nothing", (by) => {
    const { clock, cron } = setting();
    const { fired } = cron("0 * * * *");
    clock.pass(HOUR + 60_000);
    clock.step(-by);
    clock.pass(by + HOUR);
    expect(fired.map(({ due }) => new Date(due).getUTCHours())).toEqual([13, 14]);
  });

  test("a clock set back by more begins anew from there", () => {
    const { clock, cron } = setting();
    const { fired } = cron("0 * * * *");
    clock.pass(HOUR + 60_000);
    clock.step(-DAY);
    clock.pass(HOUR);
    expect(fired.map(({ due }) => new Date(due).toISOString().slice(0, 13))).toEqual([
      "2025-01-01T13",
      "2024-12-31T14",
    ]);
  });
});

describe("a delay", () => {
  test("counts elapsed time, suspend included, whatever the wall clock does", () => {
    const { clock, ticker } = setting();
    const fired: number[] = [];
    ticker.after(5_000, () => fired.push(1));
    ticker.after(20_000, () => fired.push(2));
    ticker.after(0, () => fired.push(0));
    clock.pass(1);
    expect(fired).toEqual([0]);
    clock.step(DAY);
    clock.pass(4_000);
    expect(fired).toEqual([0]);
    clock.step(-2 * DAY);
    clock.pass(1_000);
    expect(fired).toEqual([0, 1]);
    clock.suspend(15_000);
    clock.pass(1_000);
    expect(fired).toEqual([0, 1, 2]);
  });

  test("costs nothing once cancelled, however far off it was; the others come when they are due", () => {
    const { clock, ticker } = setting();
    const fired: number[] = [];
    const some = (count: number): void => {
      for (let n = 0; n < count; n++) {
        const payload = new Array(8).fill(n);
        ticker.after(DAY + n, () => payload.push(n)).cancel();
        if (n % 10_000 === 0) ticker.after(n, () => fired.push(n));
      }
    };
    const held = (): number => {
      Bun.gc(true);
      return process.memoryUsage().heapUsed;
    };
    some(10_000);
    const before = held();
    some(100_000);
    expect(held() - before).toBeLessThan(4 * 1024 * 1024);
    clock.pass(2 * DAY);
    expect(fired).toEqual([0, 0, ...Array.from({ length: 9 }, (_, n) => (n + 1) * 10_000)]);
  });

  test("may be cancelled after it has fired, and more than once", () => {
    const { clock, ticker } = setting();
    const fired: number[] = [];
    const handles = Array.from({ length: 3_000 }, (_, n) => ticker.after(n, () => fired.push(n)));
    clock.pass(1_499);
    for (const handle of handles.slice(0, 2_900)) {
      handle.cancel();
      handle.cancel();
    }
    clock.pass(DAY);
    expect(fired.length).toBe(1_600);
    expect(fired.slice(1_500)).toEqual(Array.from({ length: 100 }, (_, n) => 2_900 + n));
  });

  test("is not fired once cancelled, and may be made by one that fires", () => {
    const { clock, ticker } = setting();
    const fired: string[] = [];
    ticker.after(10, () => fired.push("never")).cancel();
    ticker.after(10, () => {
      fired.push("first");
      ticker.after(10, () => fired.push("second"));
    });
    clock.pass(15);
    expect(fired).toEqual(["first"]);
    clock.pass(10);
    expect(fired).toEqual(["first", "second"]);
  });
});

describe("looks", () => {
  /** Looks once in `everyMs`; when it did, in milliseconds since the begin. */
  const looking = ({ clock, ticker }: ReturnType<typeof setting>, everyMs: number) => {
    const at: number[] = [];
    const wait = (): void => {
      ticker.look(everyMs, () => {
        at.push(clock.monotonicMs());
        wait();
      });
    };
    wait();
    return at;
  };

  test("whatever their times and their begin, all are in the two wakes of a second", () => {
    const bench = setting();
    const kinds = [500, 500, 1_000, 1_000, 5_000].map((everyMs) => {
      bench.clock.pass(137);
      return looking(bench, everyMs);
    });
    bench.clock.pass(1_000);
    const before = bench.clock.rings;
    const looks = kinds.map((at) => at.length);
    bench.clock.pass(60_000);
    expect(bench.clock.rings - before).toBe(120);
    expect(kinds.map((at, kind) => at.length - (looks[kind] ?? 0))).toEqual([120, 120, 60, 60, 12]);
  });

  test("are taken along by the wakes of intervals, behind them, however the wall clock is slewed", () => {
    const ringsOf = (everyMs: number | null) => {
      const bench = setting();
      const { clock, interval } = bench;
      const { fired } = interval(500);
      clock.pass(1_234);
      const at = everyMs === null ? [] : looking(bench, everyMs);
      for (let slices = 0; slices < 600; slices++) {
        clock.pass(100);
        clock.step(slices < 300 ? 0.05 : -0.05);
      }
      return { rings: clock.rings, looks: at.length, fired: fired.length };
    };
    const alone = ringsOf(null);
    for (const everyMs of [500, 1_000]) {
      const { rings, looks, fired } = ringsOf(everyMs);
      expect({ looks, fired }).toEqual({ looks: 60_000 / everyMs, fired: alone.fired });
      // A new phase of the looks may cost a wake.
      expect(rings - alone.rings).toBeLessThanOrEqual(3);
    }
  });

  test("go on with the same distance when the wall clock is set, and after a pause", () => {
    const bench = setting();
    const { clock } = bench;
    const at = looking(bench, 500);
    clock.pass(5_000);
    clock.step(-DAY - 123);
    clock.pass(5_000);
    clock.step(DAY + 321);
    clock.pass(5_000);
    clock.freeze(60_000);
    clock.pass(5_000);
    const gaps = at.slice(1).map((moment, index) => Math.round(moment - (at[index] ?? 0)));
    expect(gaps.filter((gap) => gap < 250 || (gap > 750 && gap < 60_000))).toEqual([]);
    expect(at.length).toBeGreaterThanOrEqual(38);
  });

  test("one that is cancelled is not taken", () => {
    const { clock, ticker } = setting();
    const taken: number[] = [];
    const handle = ticker.look(500, () => taken.push(1));
    ticker.look(500, () => taken.push(2));
    handle.cancel();
    clock.pass(2_000);
    expect(taken).toEqual([2]);
  });
});

describe("the ticker", () => {
  test("wakes at least once a second", () => {
    const { clock } = setting();
    clock.pass(10_500);
    expect(clock.rings).toBe(10);
  });

  test("does nothing before its start and after its stop", () => {
    const clock = new HandClock();
    const ticker = new Ticker(clock, () => {}, clock.alarm);
    const fired: number[] = [];
    ticker.after(10, () => fired.push(1));
    clock.pass(1_000);
    expect(fired).toEqual([]);
    ticker.start();
    clock.pass(1);
    expect(fired).toEqual([1]);
    ticker.after(10, () => fired.push(2));
    ticker.stop();
    clock.pass(5_000);
    expect(fired).toEqual([1]);
  });
});

describe("awake time", () => {
  test("is the monotonic one, suspend left out, while nothing pauses the kernel", () => {
    const { clock, ticker } = setting();
    clock.pass(12_345);
    clock.suspend(60_000);
    clock.pass(1_000);
    expect(ticker.awakeMs()).toBe(13_345);
  });

  test("stands still in a pause, and never goes back", () => {
    const { clock, ticker } = setting();
    let before = ticker.awakeMs();
    for (let round = 1; round <= 20; round++) {
      clock.pass(700);
      if (round % 3 === 0) clock.freeze(round * 1_000);
      const now = ticker.awakeMs();
      expect(now).toBeGreaterThanOrEqual(before);
      expect(now).toBeLessThanOrEqual(round * 700);
      before = now;
    }
  });

  test("a delay on it is put off by as much as a pause took", () => {
    const { clock, ticker } = setting();
    const fired: number[] = [];
    ticker.afterAwake(5_000, () => fired.push(clock.monotonicMs()));
    const cancelled = ticker.afterAwake(5_000, () => fired.push(-1));
    clock.pass(2_000);
    clock.freeze(60_000);
    clock.pass(2_900);
    expect(fired).toEqual([]);
    cancelled.cancel();
    clock.pass(1_200);
    expect(fired).toHaveLength(1);
  });
});

describe("the alarm", () => {
  function counted() {
    const clock = new HandClock();
    let armed = 0;
    const ticker = new Ticker(
      clock,
      () => {},
      (delayMs, fire) => {
        armed++;
        return clock.alarm(delayMs, fire);
      },
    );
    ticker.start();
    return { clock, ticker, armed: () => armed };
  }

  test("is set once for a wake, however much fires and is put off then", () => {
    const { clock, ticker, armed } = counted();
    let fired = 0;
    for (let nth = 0; nth < 50; nth++) {
      const again = (): void => {
        fired++;
        ticker.after(500, again);
      };
      ticker.after(500, again);
    }
    const before = armed();
    clock.pass(500);
    expect(fired).toBe(50);
    expect(armed()).toBe(before + 1);
    clock.pass(500);
    expect(fired).toBe(100);
  });

  test("is not set anew for what is due after it rings", () => {
    const { clock, ticker, armed } = counted();
    ticker.after(300, () => {});
    const before = armed();
    const fired: number[] = [];
    for (const delayMs of [300, 700, 1_000, 60_000]) ticker.after(delayMs, () => fired.push(delayMs));
    expect(armed()).toBe(before);
    ticker.after(200, () => fired.push(200));
    expect(armed()).toBe(before + 1);
    clock.pass(60_000);
    expect(fired).toEqual([200, 300, 700, 1_000, 60_000]);
  });
});

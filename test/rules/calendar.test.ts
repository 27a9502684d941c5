/** When things are due: intervals on multiples of themselves, cron times where clocks are set twice a year. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Calendar, cronCalendar, intervalCalendar, jitterOffset } from "../../src/rules/calendar.ts";

const utc = (text: string): number => Date.parse(`${text}Z`);

/** The next `count` due times after `from`, as UTC. */
function due(calendar: Calendar, from: string, count: number): string[] {
  const found: string[] = [];
  for (let at = calendar.next(utc(from)); at !== null && found.length < count; at = calendar.next(at)) {
    found.push(new Date(at).toISOString().replace(":00.000Z", ""));
  }
  return found;
}

describe("an interval", () => {
  test("is due on multiples of itself, strictly after the moment asked about", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 ** 9 }),
        fc.integer({ min: -(10 ** 13), max: 10 ** 13 }),
        fc.nat(10 ** 9),
        (every, after, phase) => {
          const next = intervalCalendar(every, phase % every).next(after) as number;
          return next > after && next <= after + every && (next - (phase % every)) % every === 0;
        },
      ),
    );
  });

  test("of two senses falls together, whenever they were added", () => {
    const ten = intervalCalendar(10_000, 0);
    expect([1, 9_999, 10_000].map((after) => ten.next(after))).toEqual([10_000, 10_000, 20_000]);
    expect(intervalCalendar(5_000, 0).next(9_999)).toBe(10_000);
  });
});

describe("a jitter", () => {
  test("is fixed by the name alone, in [0, jitter), and spreads", () => {
    expect([jitterOffset("a", 1_000), jitterOffset("a", 1_000)]).toEqual([
      jitterOffset("a", 1_000),
      jitterOffset("a", 1_000),
    ]);
    expect([jitterOffset("a", 0), jitterOffset("a", -5), jitterOffset("a", 1)]).toEqual([0, 0, 0]);
    const offsets = Array.from({ length: 1_000 }, (_, index) => jitterOffset(`sense-${index}`, 10_000));
    expect(Math.min(...offsets)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...offsets)).toBeLessThan(10_000);
    const quarters = [0, 1, 2, 3].map(
      (quarter) => offsets.filter((offset) => Math.floor(offset / 2_500) === quarter).length,
    );
    expect(Math.min(...quarters)).toBeGreaterThan(180);
  });
});

describe("a cron time", () => {
  const CASES: readonly (readonly [name: string, cron: string, tz: string, from: string, due: string[]])[] = [
    [
      "every day in Berlin, over the summer's begin",
      "0 8 * * *",
      "Europe/Berlin",
      "2025-03-28T12:00",
      ["2025-03-29T07:00", "2025-03-30T06:00", "2025-03-31T06:00"],
    ],
    [
      "in Berlin's gap runs at its end",
      "30 2 * * *",
      "Europe/Berlin",
      "2025-03-29T12:00",
      ["2025-03-30T01:00", "2025-03-31T00:30"],
    ],
    [
      "each five minutes, without a break where the wall leaves out an hour",
      "*/5 * * * *",
      "Europe/Berlin",
      "2025-03-30T00:50",
      ["2025-03-30T00:55", "2025-03-30T01:00", "2025-03-30T01:05"],
    ],
    [
      "in Berlin's repeated hour runs once, the first time",
      "30 2 * * *",
      "Europe/Berlin",
      "2025-10-25T12:00",
      ["2025-10-26T00:30", "2025-10-27T01:30"],
    ],
    [
      "each half hour, in both passes of a repeated hour",
      "*/30 * * * *",
      "Europe/Berlin",
      "2025-10-25T23:45",
      ["2025-10-26T00:00", "2025-10-26T00:30", "2025-10-26T01:00", "2025-10-26T01:30"],
    ],
    [
      "asked about within the second pass of a repeated hour",
      "45 2 * * *",
      "Europe/Berlin",
      "2025-10-26T01:30",
      ["2025-10-27T01:45"],
    ],
    [
      "in New York's gap",
      "30 2 * * *",
      "America/New_York",
      "2025-03-08T12:00",
      ["2025-03-09T07:00", "2025-03-10T06:30"],
    ],
    [
      "in New York's repeated hour",
      "30 1 * * *",
      "America/New_York",
      "2025-11-01T12:00",
      ["2025-11-02T05:30", "2025-11-03T06:30"],
    ],
    [
      "in Lord Howe's gap of half an hour",
      "15 2 * * *",
      "Australia/Lord_Howe",
      "2025-10-04T00:00",
      ["2025-10-04T15:30", "2025-10-05T15:15"],
    ],
    [
      "in Lord Howe's repeated half hour",
      "45 1 * * *",
      "Australia/Lord_Howe",
      "2025-04-04T20:00",
      ["2025-04-05T14:45", "2025-04-06T15:15"],
    ],
    [
      "at Kathmandu's quarter hours",
      "0 9 * * *",
      "Asia/Kathmandu",
      "2025-06-01T00:00",
      ["2025-06-01T03:15", "2025-06-02T03:15"],
    ],
    [
      "at midnight where midnight is left out",
      "0 0 * * *",
      "America/Havana",
      "2025-03-08T12:00",
      ["2025-03-09T05:00", "2025-03-10T04:00"],
    ],
    [
      "on a day a country left out",
      "0 12 * * *",
      "Pacific/Apia",
      "2011-12-29T00:00",
      ["2011-12-29T22:00", "2011-12-30T10:00", "2011-12-30T22:00"],
    ],
    ["on a leap day", "0 0 29 2 *", "UTC", "2025-01-01T00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]],
    ["by a nickname", "@hourly", "UTC", "2025-01-01T00:30", ["2025-01-01T01:00", "2025-01-01T02:00"]],
    ["on weekdays", "0 9 * * 1-5", "UTC", "2025-01-03T12:00", ["2025-01-06T09:00", "2025-01-07T09:00"]],
  ];
  test.each(CASES)("%s", (_, cron, tz, from, expected) => {
    expect(due(cronCalendar(cron, tz), from, expected.length)).toEqual(expected);
  });

  test("that never comes is null", () => {
    expect(cronCalendar("0 0 30 2 *", "Europe/Berlin").next(utc("2025-01-01T00:00"))).toBeNull();
  });

  test("without a zone is the host's", () => {
    const local = cronCalendar("0 12 * * *", null).next(Date.now()) as number;
    expect([new Date(local).getHours(), new Date(local).getMinutes()]).toEqual([12, 0]);
  });

  test("only ever moves forward, in any zone, from any moment, over years of changes", () => {
    const zones = fc.constantFrom(
      "Europe/Berlin",
      "America/New_York",
      "Australia/Lord_Howe",
      "Asia/Kathmandu",
      "America/Havana",
      "Africa/Casablanca",
      "Pacific/Chatham",
      "UTC",
    );
    const crons = fc.constantFrom(
      "*/7 * * * *",
      "30 2 * * *",
      "0 0 * * *",
      "15 1,2,3 * * *",
      "59 23 * * 0",
      "0 */6 * * *",
      "*/30 2 25 10 *",
    );
    const moment = fc.integer({ min: utc("1995-01-01T00:00"), max: utc("2035-01-01T00:00") });
    fc.assert(
      fc.property(zones, crons, moment, (zone, cron, from) => {
        const calendar = cronCalendar(cron, zone);
        let at = from;
        for (let step = 0; step < 5; step++) {
          const next = calendar.next(at) as number;
          expect(next).toBeGreaterThan(at);
          // Asked a moment before, the same time comes; nothing lies between.
          expect(calendar.next(next - 1)).toBe(next);
          expect(calendar.next(Math.floor((at + next) / 2))).toBe(next);
          at = next;
        }
      }),
      { numRuns: 150 },
    );
  });
});

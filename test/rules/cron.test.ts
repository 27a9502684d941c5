import { describe, expect, test } from "bun:test";
import { cronCalendar } from "../../src/rules/calendar.ts";
import { dueByTheMinute, wallMinutes } from "./cron-oracle.ts";
import { trials } from "./random.ts";

const EXPRESSIONS = `
* * * * *|*/1 * * * *|*/2 * * * *|*/5 * * * *|*/7 * * * *|*/10 * * * *|*/15 * * * *|*/20 * * * *|*/30 * * * *|*/59 * * * *
0 * * * *|1 * * * *|17 * * * *|30 * * * *|59 * * * *|0,30 * * * *|5,17,44 * * * *|0-10 * * * *|10-50/20 * * * *|7/13 * * * *
0 */2 * * *|30 */2 * * *|15 */3 * * *|0 */4 * * *|0 */6 * * *|45 */12 * * *|0 */23 * * *|* 0 * * *|* 1 * * *|* 2 * * *
* 3 * * *|*/15 1 * * *|*/15 2 * * *|*/15 2,3 * * *|*/30 1-3 * * *|* 2-3 * * *|*/10 0-4/2 * * *|0 0 * * *|30 0 * * *|59 23 * * *
0 1 * * *|30 1 * * *|59 1 * * *|0 2 * * *|1 2 * * *|15 2 * * *|30 2 * * *|45 2 * * *|59 2 * * *|0 3 * * *
1 3 * * *|30 3 * * *|0 4 * * *|0 12 * * *|0,30 2 * * *|15,45 1,2 * * *|0 1-3 * * *|0 1,3 * * *|30 0-23 * * *|0 0-23/2 * * *
0-59 2 * * *|10-50/10 1-3 * * *|0 2,14 * * *|7 1/2 * * *|0 0 1 * *|30 2 28 * *|30 2 1-7 * *|15 1 8-14 * *|0 2 * 3 *|30 2 * mar,oct,nov *
0 12 * apr-oct *|0 0 * * 0|30 2 * * 0|30 2 * * 7|30 1 * * sun|45 1 * * SUN|0 3 * * mon|0 9 * * 1-5|0 9 * * MON-FRI|30 2 * * sat,sun
0 0 1 * 1|30 2 13 * 0|0 0 */2 * 1|*/30 * 28 * 0|0 0 1-7 * */7|30 2 1-7 * sun|@hourly|@daily|@midnight|@weekly
@monthly|@yearly`
  .split(/[\n|]/)
  .filter((line) => line !== "");

const at = (text: string): number => Date.parse(`${text}:00Z`);

/** A day before and two days after what happens to the wall of each zone. */
const CHANGES: readonly [zone: string, change: string, before: string][] = [
  ["Europe/Berlin", "an hour left out", "2027-03-27T01:00"],
  ["Europe/Berlin", "an hour repeated", "2026-10-24T01:00"],
  ["America/New_York", "an hour left out", "2027-03-13T07:00"],
  ["America/New_York", "an hour repeated", "2026-10-31T06:00"],
  ["Australia/Lord_Howe", "half an hour left out", "2026-10-02T15:30"],
  ["Australia/Lord_Howe", "half an hour repeated", "2027-04-02T15:00"],
  ["America/Havana", "midnight left out", "2027-03-13T05:00"],
  ["America/Havana", "midnight repeated", "2026-10-31T05:00"],
  ["Africa/Casablanca", "an hour left out after Ramadan", "2027-03-13T02:00"],
  ["Africa/Casablanca", "an hour repeated for Ramadan", "2027-02-06T02:00"],
  ["Asia/Kathmandu", "no change", "2027-03-27T01:00"],
];

const DAYS = 3;

/** All of them, or every so many-th where few trials are asked for. */
const some = EXPRESSIONS.filter((_, at) => at % Math.max(1, Math.ceil(920 / trials(920))) === 0);

describe("an expression is due when cron(8) would run it", () => {
  test("the table holds 92 expressions", () => {
    expect(new Set(EXPRESSIONS).size).toBe(92);
  });

  test.each(CHANGES)("in %s, %s", (zone, change, before) => {
    const from = at(before);
    const walls = wallMinutes(zone, from, DAYS * 1440);
    const jumps = walls.filter((wall, minute) => minute > 0 && wall !== (walls[minute - 1] as number) + 1);
    expect(jumps.length).toBe(change === "no change" ? 0 : 1);
    const end = from + (walls.length - 1) * 60_000;
    for (const expression of some) {
      const calendar = cronCalendar(expression, zone);
      const due: number[] = [];
      for (let next = calendar.next(from); next !== null && next <= end; next = calendar.next(next)) due.push(next);
      expect([expression, ...due.map(iso)]).toEqual([expression, ...dueByTheMinute(expression, from, walls).map(iso)]);
    }
  });

  test.each([
    ["17 * * * *", "2026-10-26T00:00", ["2026-10-26T00:17", "2026-10-26T01:17"]],
    ["* * * * *", "2026-10-25T00:58", ["2026-10-25T00:59", "2026-10-25T01:00", "2026-10-25T01:01"]],
    ["17 * * * *", "2026-10-25T00:00", ["2026-10-25T00:17", "2026-10-25T01:17", "2026-10-25T02:17"]],
    ["17 * * * *", "2027-03-28T00:00", ["2027-03-28T00:17", "2027-03-28T01:17", "2027-03-28T02:17"]],
    ["*/30 2 25 10 *", "2026-10-25T00:30", ["2026-10-25T01:00", "2026-10-25T01:30", "2027-10-25T00:00"]],
    ["*/30 * 29 2 *", "2027-03-01T00:00", ["2028-02-28T23:00", "2028-02-28T23:30"]],
    ["30 2 * * *", "2027-03-27T12:00", ["2027-03-28T01:00", "2027-03-29T00:30"]],
    ["30 2 * * *", "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]],
  ])("Berlin, %s after %s", (expression, from, expected) => {
    const calendar = cronCalendar(expression, "Europe/Berlin");
    const due: string[] = [];
    for (let next = calendar.next(at(from)); due.length < expected.length; next = calendar.next(next as number)) {
      due.push(iso(next as number));
    }
    expect(due).toEqual(expected);
  });
});

const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 16);

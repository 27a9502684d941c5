/** Quiet hours: whether and until when, asked of the local wall clock. */
import { describe, expect, test } from "bun:test";
import type { QuietHours } from "../../src/model/config.ts";
import { quietUntil } from "../../src/rules/quiet-hours.ts";
import { randomOf, SEED, trials } from "./random.ts";

const NIGHT: QuietHours = { below: "critical", fromMinute: 22 * 60, toMinute: 7 * 60, tz: "Europe/Berlin", days: null };
const until = (quiet: Partial<QuietHours>, at: string, severity: "info" | "warning" | "critical" = "warning") => {
  const end = quietUntil([{ ...NIGHT, ...quiet }], severity, Date.parse(at));
  return end === null ? null : new Date(end).toISOString();
};

describe("it is quiet", () => {
  test.each<[string, Partial<QuietHours>, string, string | null]>([
    ["at night, across midnight", {}, "2026-01-14T22:30:00Z", "2026-01-15T06:00:00.000Z"],
    ["from its first millisecond", {}, "2026-01-14T21:00:00Z", "2026-01-15T06:00:00.000Z"],
    ["not at its last", {}, "2026-01-15T06:00:00Z", null],
    ["not by day", {}, "2026-01-14T12:00:00Z", null],
    ["on the day on which the window begins", { days: ["wed"] }, "2026-01-15T03:00:00Z", "2026-01-15T06:00:00.000Z"],
    ["not on the morning after another day", { days: ["thu"] }, "2026-01-15T03:00:00Z", null],
    ["all day", { fromMinute: 0, toMinute: 1_440, tz: "UTC" }, "2026-01-15T03:00:00Z", "2026-01-16T00:00:00.000Z"],
    [
      "within a day",
      { fromMinute: 60, toMinute: 120, tz: "UTC" },
      "2026-01-15T01:30:00.250Z",
      "2026-01-15T02:00:00.000Z",
    ],
    ["an hour less, where summer time begins", {}, "2026-03-28T22:00:00Z", "2026-03-29T05:00:00.000Z"],
    ["an hour more, where it ends", {}, "2026-10-24T21:00:00Z", "2026-10-25T06:00:00.000Z"],
    [
      "until the change, where its end is left out",
      { toMinute: 150 },
      "2026-03-29T00:30:00Z",
      "2026-03-29T01:00:00.000Z",
    ],
  ])("%s", (_, quiet, at, end) => expect(until(quiet, at)).toBe(end));

  test("below its severity alone", () => {
    const at = "2026-01-14T22:30:00Z";
    expect(until({}, at, "critical")).toBeNull();
    expect(until({ below: "warning" }, at, "warning")).toBeNull();
    expect(until({ below: "warning" }, at, "info")).not.toBeNull();
  });

  test(`until the first minute that is not quiet, whatever the zone does (seed ${SEED})`, () => {
    const below = randomOf(SEED);
    const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"];
    for (let trial = 0; trial < trials(60); trial++) {
      const tz = zones[below(zones.length)] ?? "UTC";
      const fromMinute = below(1_440);
      const quiet = { ...NIGHT, tz, fromMinute, toMinute: (fromMinute + 1 + below(1_438)) % 1_440 };
      // Around the changes of 2026.
      const change = [
        Date.UTC(2026, 2, 8),
        Date.UTC(2026, 2, 29),
        Date.UTC(2026, 9, 4),
        Date.UTC(2026, 9, 25),
        Date.UTC(2026, 10, 1),
      ];
      const at = (change[below(change.length)] ?? 0) + below(2 * 1_440) * 60_000 - 1_440 * 60_000;
      const end = quietUntil([quiet], "info", at);
      let minute = at;
      if (end !== null) while (quietUntil([quiet], "info", minute) !== null) minute += 60_000;
      expect([tz, quiet.fromMinute, quiet.toMinute, new Date(at), end]).toEqual([
        tz,
        quiet.fromMinute,
        quiet.toMinute,
        new Date(at),
        end === null ? null : minute,
      ]);
    }
  });
});

/** Times as people read and write them. */
import { expect, test } from "bun:test";
import { localMoment } from "../../src/base/local-time.ts";
import { ago, duration, parseSince, until } from "../../src/base/times.ts";

const DURATIONS: [number, string][] = [
  [0, "0 ms"],
  [0.042, "0.04 ms"],
  [0.5, "0.50 ms"],
  [4.16, "4.2 ms"],
  [42.4, "42 ms"],
  [999.4, "999 ms"],
  [999.9, "1s"],
  [1_000, "1s"],
  [1_540, "1.5s"],
  [9_999, "10s"],
  [12_400, "12s"],
  [65_000, "1m 5s"],
  [3_600_000, "1h"],
  [3_605_000, "1h"],
  [90_061_000, "1d 1h"],
];

for (const [ms, text] of DURATIONS) test(`${ms} ms is ${text}`, () => expect(duration(ms)).toBe(text));

test("ages and times to come", () => {
  const now = 1_000_000;
  expect(ago(now - 200, now)).toBe("now");
  expect(ago(now - 5_300, now)).toBe("5s ago");
  expect(ago(now + 5_000, now)).toBe("in 5s");
  expect(until(now - 5_000, now)).toBe("now");
  expect(until(now + 61_000, now)).toBe("in 1m 1s");
});

test("a moment is in local time", () => {
  const at = new Date(2026, 10, 22, 9, 5, 7, 8).getTime();
  expect(localMoment(at)).toBe("2026-11-22 09:05:07.008");
});

test("--since takes durations and dates, local unless they say otherwise", () => {
  const now = Date.now();
  expect(parseSince("1h", now)).toBe(now - 3_600_000);
  expect(parseSince("250ms", now)).toBe(now - 250);
  expect(parseSince("2026-11-22", now)).toBe(new Date(2026, 10, 22).getTime());
  expect(parseSince("2026-11-22 10:30", now)).toBe(new Date(2026, 10, 22, 10, 30).getTime());
  expect(parseSince("2026-11-22T10:30:15Z", now)).toBe(Date.UTC(2026, 10, 22, 10, 30, 15));
  expect(parseSince("2026-11-22 10:30+02:00", now)).toBe(Date.UTC(2026, 10, 22, 8, 30));
});

test("--since takes nothing else", () => {
  for (const text of ["", "yesterday", "1", "1 h", "-1h", "2026-13-40", "2026-11-22 25:00", "2026-11-22x", "1.5h"]) {
    expect(parseSince(text, 0), text).toBeNull();
  }
});

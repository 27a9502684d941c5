/** When a deadline may have acted: as much as the store leaves open, and nothing more. */
import { describe, expect, test } from "bun:test";
import { workflowReflex } from "../helpers/reflex.ts";
import { ruleOf } from "../sim/oracle/reflex-words.ts";
import { Courses, type LoggedFiring } from "./courses.ts";
import { type Known, possibleTimes } from "./possible-times.ts";

const every = (ms: number, from: number, to: number): number[] =>
  Array.from({ length: Math.floor((to - from) / ms) + 1 }, (_, index) => from + index * ms);

describe("a deadline acts", () => {
  test.each<[string, Known, number, readonly number[], readonly number[]]>([
    ["when it is due", { starts: [0], deaths: [], alive: every(30, 0, 9_000) }, 3_000, [4_500], [3_000]],
    [
      "when it is due, nerve being down no longer than a second",
      { starts: [0, 4_000], deaths: [2_900], alive: [] },
      3_000,
      [],
      [3_000],
    ],
    [
      "at the start, nerve being down for longer",
      { starts: [0, 4_001], deaths: [2_900], alive: [] },
      3_000,
      [],
      [4_001],
    ],
    [
      "at either, the kernel having died afterwards",
      { starts: [0, 4_500], deaths: [3_100], alive: [3_050] },
      3_000,
      [],
      [3_000, 4_500],
    ],
    [
      "when it is due, the kernel having gone on for a second",
      { starts: [0, 9_000], deaths: [4_200], alive: [4_100] },
      3_000,
      [],
      [3_000],
    ],
    [
      "when it is found, the kernel having stood still",
      { starts: [0], deaths: [], alive: [3_020, 4_090] },
      3_000,
      [4_100],
      [3_000, 4_100],
    ],
    [
      "when it is found by no kernel that was dead",
      { starts: [0, 9_000], deaths: [2_900], alive: [] },
      3_000,
      [4_100],
      [9_000],
    ],
  ])("%s", (_, known, due, found, expected) => {
    expect(possibleTimes(known, due, found)).toEqual([...expected]);
  });
});

describe("a firing behind a start", () => {
  const rule = ruleOf(
    workflowReflex({ when: { on: "true" }, forMs: 60, debounce: { waitMs: 100, maxMs: 400 }, throttleMs: 250 }),
  );
  const known: Known = { starts: [0, 5_000], deaths: [2_010], alive: [1_990, ...every(30, 5_010, 9_000)] };
  /** On from 1 950: `for` is over at 2 010, when nerve is down. Off, and on again after the start at 5 000. */
  const costs = (logged: readonly LoggedFiring[]): number[] => {
    const signals = [
      { id: 1, at: 1_950, matches: true, clears: false },
      { id: 2, at: 5_120, matches: false, clears: false },
      { id: 3, at: 5_130, matches: true, clears: false },
    ];
    return new Courses(rule, known, signals, logged, 9_000).all().map(({ cost }) => cost);
  };
  const late: LoggedFiring = { signal: 1, due: 5_100, lateMs: 0 };
  const next: LoggedFiring = { signal: 3, due: 5_290, lateMs: 0 };

  test("throttles from there", () => {
    expect(Math.min(...costs([late]))).toBe(-1);
  });

  test("cannot be lost, and nothing that it throttles can come", () => {
    expect(Math.min(...costs([]))).toBe(1);
    expect(Math.min(...costs([next]))).toBe(1);
    expect(Math.min(...costs([late, next]))).toBe(-1);
  });
});

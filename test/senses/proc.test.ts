import { describe, expect, test } from "bun:test";
import { matches } from "nerve/glob";
import { bootId, clamp, growth, instant, own, percent, readProc, secondsBetween } from "nerve/proc";
import { costGrowth, LINEAR } from "../helpers/growth.ts";

describe("seconds between two samples", () => {
  const at = (uptime_ms: number, wall_ms: number, boot_id = "a") => ({ boot_id, uptime_ms, wall_ms });

  test.each([
    ["the wall clock's, being finer", at(1_000, 50_000), at(2_000, 51_003), 1.003],
    ["the boot clock's when the wall clock was set forward", at(1_000, 50_000), at(2_000, 99_000), 1],
    ["the boot clock's when the wall clock was set back", at(1_000, 50_000), at(3_000, 10_000), 2],
    ["none across a reboot", at(1_000, 50_000), at(9_000, 90_000, "b"), "rebooted"],
    ["none when the boot clock went back", at(9_000, 50_000), at(1_000, 60_000), "rebooted"],
    ["too few to tell a rate", at(1_000, 50_000), at(1_010, 50_010), "too-soon"],
  ] as const)("%s", (_, earlier, later, expected) => {
    expect(secondsBetween(earlier, later)).toBe(expected);
  });

  test("an instant of this host is of this boot", () => {
    expect(instant()).toEqual({ boot_id: bootId(), uptime_ms: expect.any(Number), wall_ms: expect.any(Number) });
    expect(bootId()).toMatch(/^[0-9a-f-]{36}$/);
  });
});

test("a file of /proc that is hidden is said to be, not called missing", () => {
  expect(() => readProc("/proc/no-such-file")).toThrow("/proc/no-such-file is not visible (ENOENT)");
});

test("a part of nothing is no percentage, and no percentage leaves 0 to 100", () => {
  expect([percent(1, 3), percent(1, 0), percent(-1, 4), percent(5, 4)]).toEqual([33.33, null, 0, 100]);
});

test.each([
  ["eth0", "eth0", true],
  ["eth", "eth0", false],
  ["*", "", true],
  ["veth*", "veth1a", true],
  ["veth*", "eth0", false],
  ["*0", "eth0", true],
  ["a*b*c", "a-b-b-c", true],
  ["a*b*c", "acb", false],
  ["ab*ba", "aba", false],
  ["nginx: master*", "nginx: master process /usr/sbin/nginx", true],
  ["a.c", "abc", false],
])("the pattern %s and the name %j: %p", (pattern, name, expected) => {
  expect(matches(pattern, name)).toBe(expected);
});

test("a hostile name costs what reading it does", () => {
  const pattern = `${"*a".repeat(50)}b`;
  expect(costGrowth("a".repeat(100_000), (name) => matches(pattern, name))).toBeLessThan(LINEAR);
});

test.each([
  [5, 5, 0],
  [5, 9, 4],
  [2 ** 32 - 1, 3, 4],
  [2 ** 31, 2 ** 31 - 1, 2 ** 32 - 1],
  [2 ** 31 - 1, 0, null],
  [2 ** 32 - 1, 2 ** 31, null],
  [2 ** 40, 7, null],
])("a counter that was %d and is %d grew by %p", (before, after, by) => {
  expect(growth(before, after)).toBe(by);
});

test("a name is looked up in the record itself", () => {
  expect(own({ a: 1 }, "a")).toBe(1);
  for (const name of ["constructor", "valueOf", "__proto__"]) expect(own<unknown>({ a: 1 }, name)).toBeUndefined();
  expect(clamp(9, 0, 5) + clamp(-1, 0, 5)).toBe(5);
});

/** Which reflexes are the same: whose memory a row is, and what counts as a change. */
import { describe, expect, test } from "bun:test";
import type { ReflexConfig } from "../../src/model/config.ts";
import { definitionOf, isDefinitionOf, isSameReflex, isScheduleOf, scheduleOf } from "../../src/rules/same-reflex.ts";
import { senseReflex, workflowReflex } from "../helpers/reflex.ts";

const WORDS = workflowReflex({
  on: ["a", "b"],
  key: "host",
  when: { v: "number > 5" },
  forMs: 5_000,
  throttleMs: 1_000,
});

describe("what is remembered of signals", () => {
  test.each<[string, Partial<ReflexConfig>]>([
    ["on", { on: ["a"] }],
    ["each", { each: "disks" }],
    ["key", { key: ["host"] }],
    ["when", { when: { v: "number > 6" } }],
    ["clear", { clear: { v: "number < 1" } }],
    ["edge", { edge: "falling" }],
    ["for", { forMs: 6_000 }],
    ["count", { count: { n: 2, withinMs: 5 } }],
    ["debounce", { debounce: { waitMs: 5, maxMs: null } }],
    ["throttle", { throttleMs: null }],
  ])("begins anew when `%s` changes", (_, words) => {
    const changed = { ...WORDS, ...words } as ReflexConfig;
    expect(definitionOf(changed)).not.toBe(definitionOf(WORDS));
    expect([isDefinitionOf(changed, definitionOf(WORDS)), isSameReflex(changed, WORDS)]).toEqual([false, false]);
  });

  test.each<[string, ReflexConfig]>([
    ["what it starts", { ...WORDS, workflow: "other" }],
    ["a sense instead of a workflow", senseReflex({ ...WORDS, kind: "sense" } as never)],
    ["an interval beside its signals", senseReflex({ ...WORDS, kind: "sense", intervalMs: 5_000 } as never)],
  ])("stays when %s changes, which is a change all the same", (_, changed) => {
    expect(definitionOf(changed)).toBe(definitionOf(WORDS));
    expect(isSameReflex(changed, WORDS)).toBe(false);
  });

  test.each<[string, Partial<ReflexConfig>]>([
    ["`on` in another order", { on: ["b", "a"] }],
    ["its default written out", { edge: "rising" }],
  ])("stays with %s, which is no change at all", (_, words) => {
    const same = { ...WORDS, ...words } as ReflexConfig;
    expect([definitionOf(same), isSameReflex(same, WORDS)]).toEqual([definitionOf(WORDS), true]);
  });

  test("is the same for `key: $one` and no key at all", () => {
    expect(definitionOf({ ...WORDS, key: "$one" })).toBe(definitionOf({ ...WORDS, key: null }));
  });
});

test("what an earlier build has stored of the same reflex is recognised, and of another is not", () => {
  // As builds before `each` digested these two, whole.
  expect(isDefinitionOf(WORDS, "f474716882d32e89")).toBe(true);
  const timed = senseReflex({ intervalMs: 1_000, catchUp: "one", throttleMs: 5_000, on: ["a"] });
  expect(isDefinitionOf(timed, "e7cdec4062af59f2")).toBe(true);
  expect(isScheduleOf(timed, "e7cdec4062af59f2")).toBe(true);
  expect(isDefinitionOf({ ...WORDS, throttleMs: 2_000 }, "f474716882d32e89")).toBe(false);
  expect(isDefinitionOf({ ...WORDS, key: "$sense" }, "f474716882d32e89")).toBe(false);
});

test("a due time belongs to the words that say when", () => {
  const timed = senseReflex({ intervalMs: 1_000, catchUp: "one" });
  expect(scheduleOf({ ...timed, align: true })).toBe(scheduleOf(timed));
  expect(scheduleOf({ ...timed, catchUp: null, throttleMs: 5, on: ["a"] })).toBe(scheduleOf(timed));
  const others = [{ intervalMs: 2_000 }, { align: false }, { jitterMs: 5 }, { cron: "@hourly" }, { tz: "UTC" }];
  for (const words of others) expect(scheduleOf({ ...timed, ...words })).not.toBe(scheduleOf(timed));
});

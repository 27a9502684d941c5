/** G5: who was under way at a death runs again without the others, and nobody is starved by it. */
import { describe, expect, test } from "bun:test";
import { Suspects } from "../../../src/kernel/workers/suspects.ts";

const suspectsOf = (...tasks: string[]): Suspects<string> => {
  const suspects = new Suspects<string>();
  for (const task of tasks) suspects.add(task);
  return suspects;
};

describe("in turns", () => {
  test("without a suspect everybody who is ready goes together", () => {
    expect(suspectsOf().inTurns(["a", "b"])).toEqual(["a", "b"]);
  });

  test("one suspect goes alone, then the others together, and so on", () => {
    const suspects = suspectsOf("a", "c");
    const ready = ["a", "b", "c", "d"];
    expect([1, 2, 3].map(() => suspects.inTurns(ready))).toEqual([["a"], ["b", "d"], ["a"]]);
  });

  test("after a death the others go first", () => {
    const suspects = suspectsOf("a");
    suspects.neighboursFirst();
    expect([1, 2].map(() => suspects.inTurns(["a", "b"]))).toEqual([["b"], ["a"]]);
  });

  test("a side that has nobody ready keeps its turn, and the other side goes", () => {
    const suspects = suspectsOf("a");
    expect(suspects.inTurns(["b"])).toEqual(["b"]);
    expect(suspects.inTurns(["a", "b"])).toEqual(["a"]);
    expect(suspects.inTurns(["a"])).toEqual(["a"]);
    expect(suspects.inTurns(["a", "b"])).toEqual(["b"]);
    expect(suspects.inTurns([])).toEqual([]);
  });

  test("two suspects never go together, even when nobody else is ready", () => {
    expect(suspectsOf("a", "b").inTurns(["a", "b"])).toEqual(["a"]);
  });

  test("who is cleared goes with the others", () => {
    const suspects = suspectsOf("a", "b");
    expect(suspects.clear("a")).toBe(true);
    expect(suspects.clear("a")).toBe(false);
    suspects.neighboursFirst();
    expect(suspects.inTurns(["a", "b", "c"])).toEqual(["a", "c"]);
  });
});

describe("one at a time", () => {
  const byName = (left: string, right: string): number => left.localeCompare(right);

  test("without a suspect everybody goes, whoever is under way", () => {
    expect(suspectsOf().oneAtATime(["b", "a"], ["c"], byName)).toEqual(["b", "a"]);
  });

  test("the first suspect goes beside those that are innocent, and nobody else does", () => {
    const suspects = suspectsOf("b", "a");
    expect(suspects.oneAtATime(["c", "b", "a"], ["d"], byName)).toEqual(["a"]);
    expect(suspects.oneAtATime(["c", "b"], ["a"], byName)).toEqual([]);
  });

  test("everybody waits for a suspect that is not ready", () => {
    expect(suspectsOf("a").oneAtATime(["b"], [], byName)).toEqual([]);
  });
});

test("suspects that are no longer there are cleared", () => {
  const suspects = suspectsOf("a", "b");
  suspects.retain((task) => task === "b");
  expect([suspects.size, suspects.has("a"), suspects.has("b")]).toEqual([1, false, true]);
});

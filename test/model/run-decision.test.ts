/** The spelling of what a run was decided for: two texts are equal exactly when the decisions are. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type RunDecision, spellDecision } from "../../src/model/run-decision.ts";
import { keyOf } from "../../src/rules/key.ts";

const key = fc.oneof(
  fc.constant(null),
  fc
    .oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.constantFrom("", "5", ":", "null", "5:5"))
    .map((value) => keyOf("k", "s", { k: value }).key),
);
const decision: fc.Arbitrary<RunDecision> = fc.oneof(
  fc.record({ kind: fc.constant("signal" as const), signal: fc.integer({ min: 1, max: 30 }), key }),
  fc.record({ kind: fc.constant("due" as const), elapsedMs: fc.integer({ min: 0, max: 30 }) }),
);

test("two decisions are spelled alike exactly when they are the same", () => {
  fc.assert(
    fc.property(decision, decision, (a, b) => {
      expect(spellDecision(a) === spellDecision(b)).toBe(Bun.deepEquals(a, b));
    }),
    { numRuns: 2_000 },
  );
});

test.each<[RunDecision, string]>([
  [{ kind: "signal", signal: 7, key: null }, "signal:7"],
  [{ kind: "signal", signal: 7, key: '"/var"' }, 'signal:7:"/var"'],
  [{ kind: "signal", signal: 7, key: "5" }, "signal:7:5"],
  [{ kind: "due", elapsedMs: 1_700_000_000_000 }, "due:1700000000000"],
])("%j is spelled %s", (given, text) => {
  expect(spellDecision(given)).toBe(text);
});

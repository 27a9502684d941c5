/** G10: what an author hands to the thread is checked, with errors that name it. */
import { describe, expect, test } from "bun:test";
import { readDuration, readStepCall } from "../../src/workflow-worker/arguments.ts";
import { Commits } from "../../src/workflow-worker/commits.ts";
import { stepId } from "../../src/workflow-worker/step-id.ts";

const act = (): void => {};
const errorOf = (name: unknown, given: unknown = act, options: unknown = undefined): string => {
  const call = readStepCall(name, given, options);
  return call.ok ? "none" : call.error;
};

describe("a step's arguments", () => {
  test("are taken with their defaults", () => {
    expect(readStepCall("a", act, undefined)).toEqual({ ok: true, value: { name: "a", act, retry: null } });
    expect(readStepCall("x".repeat(200), act, {})).toMatchObject({ ok: true });
    const retry = { limit: 3, intervalMs: 5_000, backoff: 2, maxIntervalMs: 300_000 };
    expect(readStepCall("a", act, { retry: { limit: 3 } })).toMatchObject({ value: { retry } });
    expect(readStepCall("a", act, { retry: { limit: 0, interval: "10m", backoff: 1.5 } })).toMatchObject({
      value: { retry: { limit: 0, intervalMs: 600_000, backoff: 1.5, maxIntervalMs: 600_000 } },
    });
  });

  test.each([
    [[undefined], "thread.step needs a name of 1 to 200 characters, not undefined"],
    [[""], 'thread.step needs a name of 1 to 200 characters, not ""'],
    [["x".repeat(201)], `thread.step needs a name of 1 to 200 characters, not "${"x".repeat(80)}"`],
    [[act], "thread.step needs a name of 1 to 200 characters, not function"],
    [["a", "b"], 'thread.step("a") needs a function, not "b"'],
    [["a", act, 3], 'the options of thread.step("a") must be an object, not 3'],
    [["a", act, { retries: 3 }], 'the options of thread.step("a") are `retry`, not "retries"'],
    [["a", act, { retry: 3 }], 'the retry of thread.step("a") must be an object such as { limit: 3 }, not 3'],
    [
      ["a", act, { retry: {} }],
      'the retry of thread.step("a").limit must be a whole number of tries after the first, not undefined',
    ],
    [
      ["a", act, { retry: { limit: 1.5 } }],
      'the retry of thread.step("a").limit must be a whole number of tries after the first, not 1.5',
    ],
    [
      ["a", act, { retry: { limit: 1, backoff: 0 } }],
      'the retry of thread.step("a").backoff must be a number of at least 1, not 0',
    ],
    [
      ["a", act, { retry: { limit: 1, interval: "soon" } }],
      'the retry of thread.step("a").interval must be a duration such as "15m", or milliseconds, not "soon"',
    ],
    [
      ["a", act, { retry: { limit: 1, max_interval: -1 } }],
      'the retry of thread.step("a").max_interval must be a duration such as "15m", or milliseconds, not -1',
    ],
    [
      ["a", act, { retry: { limit: 1, maxInterval: 1 } }],
      'the retry of thread.step("a") has limit, interval, backoff and max_interval, not "maxInterval"',
    ],
  ])("%j are refused", (given, error) => {
    expect(errorOf(...(given as [unknown]))).toBe(error);
  });
});

test("a duration is text as in nerve.yaml, or milliseconds, and at most a hundred years", () => {
  expect(["250ms", "15m", 0, 1.5, "7d"].map((value) => readDuration("it", value))).toEqual(
    [250, 900_000, 0, 2, 604_800_000].map((value) => ({ ok: true, value })),
  );
  for (const value of [
    Number.NaN,
    -1,
    Number.POSITIVE_INFINITY,
    "",
    "5",
    "5 m",
    null,
    undefined,
    {},
    [5],
    true,
    5n,
    "99999d",
  ])
    expect(readDuration("it", value).ok).toBe(false);
});

test("a step's id is its own: 32 hex digits of trace, run, name and nth", () => {
  const of = [
    stepId("t", 1, "a", 0),
    stepId("t", 1, "a", 1),
    stepId("t", 2, "a", 0),
    stepId("u", 1, "a", 0),
    stepId("t", 1, "b", 0),
  ];
  expect(new Set(of).size).toBe(5);
  for (const id of of) expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(stepId("t", 1, "a", 0)).toBe(of[0] as string);
});

test("whoever waits for a commit goes on in order, once it and all before it are in", async () => {
  const commits = new Commits();
  const gone: number[] = [];
  for (const seq of [commits.next(), commits.next(), commits.next()])
    void commits.until(seq).then(() => gone.push(seq));
  expect(commits.upTo(4)).toBe(false);
  expect(commits.upTo(2)).toBe(true);
  await Bun.sleep(0);
  expect(gone).toEqual([1, 2]);
  expect([commits.upTo(1), commits.upTo(3)]).toEqual([true, true]);
  await commits.until(3);
  await Bun.sleep(0);
  expect(gone).toEqual([1, 2, 3]);
});

/**
 * G10: nothing that comes over a channel is believed before it is well formed, and what is not costs one short sentence.
 * `NERVE_FUZZ=2000000` sends more, `NERVE_FUZZ_SEED=N` repeats a run.
 */
import { describe, expect, test } from "bun:test";
import type { ParentMessage, WorkerMessage } from "../../src/ipc/definitions.ts";
import { parseParentMessage, parseWorkerMessage } from "../../src/ipc/parse.ts";
import { parseWorkflowMessage } from "../../src/ipc/parse-workflow.ts";
import { randomNumbers } from "../helpers/crash.ts";

const SEED = Number(process.env.NERVE_FUZZ_SEED ?? Date.now() % 1_000_000_000);
const TRIALS = Number(process.env.NERVE_FUZZ ?? 100_000);
const TRACE = "0".repeat(32);
const LONGEST = 700;

const ITEM = { id: 5, origin: "0f", at: 1, key: null, type: "fail", body: "{}" };
const DELIVERY = { origin: "signals:0f", upTo: 9, signals: [{ id: 8, sense: "b", at: 1, payload: "[1]" }] };
const PARENT: readonly ParentMessage[] = [
  {
    type: "init",
    generation: 1,
    senses: [
      {
        name: "a",
        folder: null,
        use: "load",
        database: "/d/a.db",
        options: {},
        timeoutMs: 1,
        durability: "normal",
        outboxTaken: 0,
        inbox: null,
        patterns: [],
      },
      {
        name: "b",
        folder: "/s/b",
        use: "b",
        database: "/d/b.db",
        options: { x: [1] },
        timeoutMs: 30_000,
        durability: "full",
        outboxTaken: 9,
        inbox: { origins: ["0f", "1e/5"], taken: { origin: "0f", upTo: 4 } },
        patterns: [{ label: "r.when", each: null, definition: { x: "number" } }],
      },
    ],
    peers: [{ name: "a", database: "/d/a.db" }],
    blobs: "/d/blobs",
    lock: "/d/locks/g.lock",
    logCredit: 256,
  },
  {
    type: "compute",
    generation: 1,
    computes: [
      { id: 1, sense: "a", now: 0, cause: null, trace: TRACE, inbox: null, delivered: null },
      { id: 2, sense: "b", now: 0, cause: 1, trace: TRACE, inbox: [ITEM], delivered: DELIVERY },
    ],
  },
  { type: "ack", generation: 1, outbox: [{ sense: "a", upTo: 0 }], logs: 1 },
  { type: "peers", generation: 2, peers: [] },
  { type: "shutdown", generation: 2 },
];
const PROBLEM = { kind: "k", message: "m", hint: null, file: "/f", line: 1, column: null };
const FINDING = { label: "r.when", kind: "never" as const, path: "x", expected: null, fields: ["x"] };
const SERIES = { table: "t", at: "at", by: ["path"], numbers: [{ name: "n", unit: null }] };
const WORKER: readonly WorkerMessage[] = [
  {
    type: "ready",
    generation: 1,
    senses: [
      {
        sense: "a",
        problem: null,
        applied: ["1.sql"],
        watch: [{ kind: "kernel", path: null, match: null }],
        taken: [{ origin: "0f", upTo: 4 }],
        patterns: [FINDING],
        series: SERIES,
        fault: null,
      },
      { sense: "b", problem: PROBLEM, applied: [], watch: [], taken: [], patterns: [], series: null, fault: PROBLEM },
    ],
  },
  { type: "started", generation: 1, id: null, sense: "a" },
  {
    type: "signal",
    generation: 1,
    signals: [
      { id: 1, sense: "a", payload: { x: 1 }, outbox: 1, more: [{ payload: [2], outbox: 2 }], durationMs: 0.5 },
      { id: 2, sense: "b", payload: 7, outbox: null, more: null, durationMs: 0 },
    ],
  },
  { type: "no-signal", generation: 1, computes: [{ id: 1, sense: "a", durationMs: 0 }] },
  { type: "error", generation: 1, id: null, sense: null, kind: "worker", message: "x", stack: null, durationMs: 0 },
  {
    type: "log",
    generation: 1,
    sense: "a",
    level: "info",
    event: "log",
    trace: null,
    message: "x",
    data: null,
    dropped: 0,
  },
  { type: "bye", generation: 1 },
  { type: "behind", generation: 1, id: 1, sense: "a" },
  { type: "left-over", generation: 1, sense: "a", rows: [{ payload: 1, outbox: 4, cause: 3, trace: TRACE }] },
];

test("a well-formed message is handed on as it came, whatever else is in it", () => {
  for (const message of PARENT) expect(parseParentMessage(message)).toEqual({ ok: true, value: message });
  for (const message of WORKER) {
    const wordy = { ...message, further: "than was asked for" };
    expect(parseWorkerMessage(wordy)).toEqual({ ok: true, value: wordy });
  }
});

test("each side accepts its own messages only", () => {
  for (const message of WORKER) expect(parseParentMessage(message).ok).toBe(false);
  for (const message of PARENT) expect(parseWorkerMessage(message).ok).toBe(false);
});

describe("the error says what is wrong", () => {
  test.each<[unknown, string]>([
    [null, "null instead of a message"],
    ["hello", '"hello" instead of a message'],
    [7, "7 instead of a message"],
    [[], "a message of unknown type undefined"],
    [{ type: "nonsense" }, 'a message of unknown type "nonsense"'],
    [{ type: { deep: 1 } }, "a message of unknown type an object"],
    [{ type: "toString" }, 'a message of unknown type "toString"'],
    [{ type: "__proto__" }, 'a message of unknown type "__proto__"'],
    [{ type: "bye" }, '"bye" without generation'],
    [{ type: "bye", generation: 0 }, '"bye" whose generation is 0, expected number.integer >= 1'],
    [{ type: "bye", generation: "1" }, '"bye" whose generation is "1", expected number.integer >= 1'],
    [{ ...WORKER[0], senses: [{}] }, '"ready" whose senses is an array'],
    [
      { ...WORKER[4], kind: "other" },
      `"error" whose kind is "other", expected 'failed' | 'lost' | 'timed-out' | 'aborted' | 'malformed-message' | 'worker'`,
    ],
  ])("%j", (raw, what) => expect(parseWorkerMessage(raw)).toEqual({ ok: false, error: { what } }));

  test("in few words, whatever was sent", () => {
    const huge = "x".repeat(5_000_000);
    const hostile: unknown[] = [huge, 10n ** 5_000n, Symbol(huge), { type: huge }, { type: "bye", generation: huge }];
    hostile.push({ ...WORKER[1], sense: Array(100_000).fill(huge) }, { type: "bye", generation: 10n ** 5_000n });
    for (const raw of hostile) {
      const parsed = parseWorkerMessage(raw);
      expect(parsed.ok ? "" : parsed.error.what).toHaveLength(
        Math.min(parsed.ok ? 0 : parsed.error.what.length, LONGEST),
      );
    }
  });
});

/** One random change to a copy of a message: the values a hostile or broken peer could put into JSON. */
function fuzzer(seed: number) {
  const random = randomNumbers(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const long = "y".repeat(2_000);
  const VALUES: readonly (() => unknown)[] = [
    () => null,
    () => below(2) === 0,
    () => below(1_000) - 500,
    () => random() * 1e18 - 5e17,
    () => 2 ** 53,
    () => "",
    () => long,
    () => "\u0000\u001b[31m\u202e",
    () => [],
    () => [[[[]]]],
    () => Array(below(50)).fill(null),
    () => ({}),
    () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
    () => ({ toString: null, valueOf: null, hasOwnProperty: 1 }),
    () => ({ length: 5, type: "init" }),
  ];
  const value = (): unknown => (VALUES[below(VALUES.length)] as () => unknown)();
  const change = (given: unknown, depth: number): unknown => {
    if (typeof given !== "object" || given === null || below(4) === 0) return value();
    if (Array.isArray(given)) {
      if (given.length === 0 || below(3) === 0) return [...given, value()];
      const copy = [...given];
      copy[below(copy.length)] = change(copy[0], depth + 1);
      return copy;
    }
    const keys = Object.keys(given);
    const copy: Record<string, unknown> = { ...given };
    const key = keys[below(keys.length)] ?? "type";
    const what = below(4);
    if (what === 0) delete copy[key];
    else if (what === 1) Object.defineProperty(copy, "__proto__", { value: value(), enumerable: true });
    else copy[key] = depth > 3 ? value() : change(copy[key], depth + 1);
    return copy;
  };
  return { below, change };
}

test(`${TRIALS} mutated messages (seed ${SEED}): none throws, none is told at length, none leaves anything behind`, () => {
  const { below, change } = fuzzer(SEED);
  const seeds: readonly unknown[] = [...PARENT, ...WORKER];
  let refused = 0;
  const round = (count: number): void => {
    for (let trial = 0; trial < count; trial++) {
      let message: unknown = seeds[below(seeds.length)];
      for (let times = below(3); times >= 0; times--) message = change(message, 0);
      for (const parse of [parseParentMessage, parseWorkerMessage]) {
        const parsed = parse(message);
        if (parsed.ok) continue;
        refused++;
        if (parsed.error.what.length > LONGEST) throw new Error(`seed ${SEED}: ${parsed.error.what}`);
      }
    }
  };
  const held = (): number => {
    Bun.gc(true);
    return process.memoryUsage().heapUsed;
  };
  round(TRIALS / 2);
  const before = held();
  round(TRIALS / 2);
  expect(held() - before).toBeLessThan(4 * 1024 * 1024);
  expect(refused).toBeGreaterThan(TRIALS);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test("a __proto__ in a message is a field like any other: nothing is polluted, no required field comes from it", () => {
  const canary = Object.getOwnPropertyNames(Object.prototype).length;
  const raw = JSON.parse('{"type":"started","__proto__":{"generation":1,"id":null,"sense":"a"}}');
  expect(parseWorkerMessage(raw)).toEqual({ ok: false, error: { what: '"started" without generation' } });
  expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(canary);
});

test("a wait that ends after the last date there is, is no wait", () => {
  const message = { type: "suspended", generation: 1, seq: 1, run: 1, leftMs: 1, sleeps: [], ranMs: 1 };
  expect(parseWorkflowMessage(message).ok).toBe(true);
  for (const ms of [1e15, 1e300, Number.POSITIVE_INFINITY]) {
    expect(parseWorkflowMessage({ ...message, leftMs: ms }).ok).toBe(false);
    expect(parseWorkflowMessage({ ...message, sleeps: [{ nth: 0, ms }] }).ok).toBe(false);
  }
});

/** A trace as a tree: signals under what caused them, logs beside the compute that wrote them, all in time order. */
import { expect, test } from "bun:test";
import type { Log } from "../../src/model/log.ts";
import type { Run } from "../../src/model/run.ts";
import { MADE_HERE, type Signal } from "../../src/model/signal.ts";
import { type Node, stepsOf, tellStory } from "../../src/stories/story.ts";

const TRACE = "a".repeat(32);
const signal = (id: number, sense: string, at: number, cause: number | null): Signal => ({
  id,
  sense,
  at,
  payload: "{}",
  cause,
  trace: TRACE,
  ...MADE_HERE,
});
const log = (id: number, source: string, at: number): Log => ({
  id,
  at,
  level: "info",
  source,
  event: "output",
  run: null,
  trace: TRACE,
  message: "",
  data: null,
});

type Outline = string | [string, Outline[]];

const outline = (nodes: readonly Node[]): Outline[] =>
  nodes.map((node) => {
    if (node.kind === "log") return `log ${node.row.id}`;
    const name = `${node.kind === "run" ? "run " : "#"}${node.row.id}`;
    return node.children.length === 0 ? name : [name, outline(node.children)];
  });

const tell = (signals: Signal[], logs: Log[] = [], runs: Run[] = []): Outline[] =>
  outline(tellStory(0, { signals, logs, runs }).roots);

test("a signal stands under its cause", () => {
  const signals = [signal(1, "a", 1, null), signal(2, "b", 2, 1), signal(3, "c", 3, 2), signal(4, "d", 3, 1)];
  expect(tell(signals)).toEqual([["#1", [["#2", ["#3"]], "#4"]]]);
});

test("a log stands before the signal of its own compute", () => {
  const signals = [signal(1, "a", 2, null), signal(2, "b", 5, 1)];
  const logs = [log(1, "sense:a", 1), log(2, "sense:b", 4), log(3, "sense:b", 5)];
  expect(tell(signals, logs)).toEqual(["log 1", ["#1", ["log 2", "log 3", "#2"]]]);
});

test("a log of a sense that emitted nothing, and one of the kernel, stand at the root", () => {
  expect(tell([signal(1, "a", 1, null)], [log(1, "sense:b", 3), log(2, "kernel", 2)])).toEqual([
    "#1",
    "log 2",
    "log 1",
  ]);
});

test("a cause that is not kept any more, or cannot be one, makes no cycle and loses nothing", () => {
  expect(tell([signal(5, "a", 1, 4)])).toEqual(["#5"]);
  expect(tell([signal(5, "a", 1, 5)])).toEqual(["#5"]);
  expect(tell([signal(5, "a", 1, 6), signal(6, "b", 2, 5)])).toEqual([["#5", ["#6"]]]);
});

const run = (id: number, at: number, signal_id: number | null): Run => ({
  id,
  workflow: "page",
  reflex: signal_id === null ? null : "r",
  state: "running",
  signal_id,
  input: null,
  output: null,
  attempt: 1,
  queued_at: at,
  started_at: at,
  ended_at: null,
  error: null,
  trace: TRACE,
  last_log_id: 1,
  retry_of: null,
  first_log_id: 1,
  until: null,
  key: null,
  decision: signal_id === null ? null : `signal:${signal_id}`,
  events: 1,
});
const runLog = (id: number, of: number, at: number, event: string, data: object | null = null): Log => ({
  ...log(id, "workflow:page", at),
  event,
  run: of,
  data: data === null ? null : JSON.stringify(data),
});

test("a run stands under the signal that started it, one begun by hand at the root, and their logs with them", () => {
  const signals = [signal(1, "a", 1, null), signal(2, "b", 1, 1)];
  const logs = [runLog(1, 8, 5, "output"), runLog(2, 7, 4, "output"), runLog(3, 9, 3, "output")];
  expect(tell(signals, logs, [run(7, 1, 1), run(8, 2, null)])).toEqual([
    ["#1", ["#2", ["run 7", ["log 2"]]]],
    ["run 8", ["log 1"]],
    "log 3",
  ]);
});

test("a firing stands under the signal it was for, before the run it made", () => {
  const fired = (id: number, data: string): Log => ({ ...log(id, "reflex:r", 2), event: "reflex.fired", data });
  const logs = [fired(1, '{"signal":1,"run":7}'), fired(2, '{"signal":9,"run":null}'), fired(3, "{")];
  expect(tell([signal(1, "a", 2, null)], logs, [run(7, 2, 1)])).toEqual(["log 2", "log 3", ["#1", ["log 1", "run 7"]]]);
});

test("a signal that is gone leaves its run at the root", () => {
  expect(tell([], [], [run(7, 1, 1)])).toEqual(["run 7"]);
});

test("logs of a run are in the order of their ids, whatever the clock did", () => {
  const logs = [runLog(1, 7, 9, "output"), runLog(2, 7, 3, "output")];
  expect(tell([], logs, [run(7, 1, null)])).toEqual([["run 7", ["log 1", "log 2"]]]);
});

test("the start of a step is left out when the step has ended, and stays when it was interrupted or goes on", () => {
  const a = { step: "a", nth: 0, attempt: 1 };
  const b = { step: "b", nth: 0, attempt: 1 };
  const logs = [
    runLog(1, 7, 1, "step.started", a),
    runLog(2, 7, 2, "step.started", b),
    runLog(3, 7, 3, "step.completed", { ...a, result: 1, duration_ms: 2 }),
    runLog(4, 7, 4, "step.started", b),
    runLog(5, 7, 5, "step.started", { ...a, nth: 1 }),
    runLog(6, 7, 6, "step.failed", { ...b, error: "x", stack: "s", duration_ms: 1, until: 9, due: 9 }),
    // Another run's step of the same name.
    runLog(7, 8, 7, "step.started", b),
  ];
  expect(tell([], logs, [run(7, 1, null), run(8, 1, null)])).toEqual([
    ["run 7", ["log 2", "log 3", "log 5", "log 6"]],
    ["run 8", ["log 7"]],
  ]);
  expect(stepsOf(logs.slice(0, 6)).map(({ step, nth, state, at }) => [step, nth, state, at])).toEqual([
    ["b", 0, "started", 2],
    ["a", 0, "completed", 3],
    ["a", 1, "started", 5],
    ["b", 0, "failed", 6],
  ]);
});

test("a run event that nerve cannot have written is shown as the log it is", () => {
  const logs = [{ ...runLog(1, 7, 1, "step.completed"), data: "{" }];
  expect(tell([], logs, [run(7, 1, null)])).toEqual([["run 7", ["log 1"]]]);
  expect(stepsOf(logs)).toEqual([]);
});

test("it lasts until its newest row", () => {
  expect(
    tellStory(10, { signals: [signal(1, "a", 12, null)], logs: [log(1, "kernel", 25)], runs: [] }).durationMs,
  ).toBe(15);
  expect(tellStory(10, { signals: [], logs: [], runs: [] }).durationMs).toBe(0);
});

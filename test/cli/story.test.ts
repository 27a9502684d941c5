/** A trace as a tree: signals under what caused them, logs beside the compute that wrote them, all in time order. */
import { expect, test } from "bun:test";
import { type Node, tellStory } from "../../src/cli/story.ts";
import type { Log } from "../../src/model/log.ts";
import type { Run } from "../../src/model/run.ts";
import type { Signal } from "../../src/model/signal.ts";

const TRACE = "a".repeat(32);
const signal = (id: number, sense: string, at: number, cause: number | null): Signal => ({
  id,
  sense,
  at,
  payload: "{}",
  cause,
  trace: TRACE,
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

test("it lasts until its newest row", () => {
  expect(
    tellStory(10, { signals: [signal(1, "a", 12, null)], logs: [log(1, "kernel", 25)], runs: [] }).durationMs,
  ).toBe(15);
  expect(tellStory(10, { signals: [], logs: [], runs: [] }).durationMs).toBe(0);
});

/**
 * Owns a trace or a run as a tree: its beginning, the signals that each signal led to, the runs that they started, and the
 * logs of the same time. A log of a sense stands with the signal whose compute wrote the log. A log of a firing stands with
 * the signal that the firing was for. A log of a run stands with the run.
 */

import type { Json } from "../base/json.ts";
import { parseStored } from "../base/json.ts";
import { fullNameOf } from "../model/full-name.ts";
import type { Log } from "../model/log.ts";
import type { Run } from "../model/run.ts";
import { runLogOf } from "../model/run-log.ts";
import type { ShownStep } from "../model/shown-rows.ts";
import type { Signal } from "../model/signal.ts";

export type Node =
  | { readonly kind: "signal"; readonly row: Signal; readonly children: Node[] }
  | { readonly kind: "run"; readonly row: Run; readonly children: Node[] }
  | { readonly kind: "log"; readonly row: Log };

export interface Story {
  readonly roots: readonly Node[];
  /** From the beginning to the newest row. */
  readonly durationMs: number;
}

/** The rows of a story. */
export interface Rows {
  readonly signals: readonly Signal[];
  readonly logs: readonly Log[];
  readonly runs: readonly Run[];
}

export const timeOf = (node: Node): number => (node.kind === "run" ? node.row.queued_at : node.row.at);

/** At the same time, a log comes before the signal that ended its compute, and a run after the signal that started the run. */
const RANK = { log: 0, signal: 1, run: 2 } as const;

const byTime = (a: Node, b: Node): number =>
  timeOf(a) - timeOf(b) || RANK[a.kind] - RANK[b.kind] || a.row.id - b.row.id;

/** The logs of a run are in the order of their ids, even where the clock was set. */
const inRun = (a: Node, b: Node): number => a.row.id - b.row.id;

export function tellStory(begin: number, { signals, logs, runs }: Rows): Story {
  const ofSignal = new Map(signals.map((row) => [row.id, { kind: "signal" as const, row, children: [] as Node[] }]));
  const ofRun = new Map(runs.map((row) => [row.id, { kind: "run" as const, row, children: [] as Node[] }]));
  const roots: Node[] = [];
  /** The list for the effects of a signal's cause. The cause may be gone, or come later in a damaged store: then the roots. */
  const under = (signal: Signal | null): Node[] => {
    const cause = signal?.cause ?? null;
    return cause !== null && signal !== null && cause < signal.id ? (ofSignal.get(cause)?.children ?? roots) : roots;
  };
  for (const node of ofSignal.values()) under(node.row).push(node);
  for (const node of ofRun.values()) (ofSignal.get(node.row.signal_id ?? 0)?.children ?? roots).push(node);
  const answered = answeredStarts(logs);
  for (const row of logs) {
    const run = ofRun.get(row.run ?? 0);
    const fired = ofSignal.get(firingOf(row)?.signal ?? 0);
    if (fired !== undefined) fired.children.push({ kind: "log", row });
    else if (run === undefined) under(signalOf(row, signals)).push({ kind: "log", row });
    else if (!answered.has(row.id)) run.children.push({ kind: "log", row });
  }
  const sort = (list: Node[]): void => {
    list.sort(byTime);
    for (const node of list) if (node.kind === "signal") sort(node.children);
  };
  sort(roots);
  for (const { children } of ofRun.values()) children.sort(inRun);
  const times = [...signals.map(({ at }) => at), ...logs.map(({ at }) => at)];
  return { roots, durationMs: times.reduce((latest, at) => Math.max(latest, at), begin) - begin };
}

/** The signal that a reflex fired for, and the run that this started, from the reflex's log; null for every other log. */
export function firingOf({ event, data }: Log): { readonly signal: number | null; readonly run: number | null } | null {
  if (event !== "reflex.fired" || data === null) return null;
  const told = parseStored(data);
  if (typeof told !== "object" || told === null || Array.isArray(told)) return null;
  const id = (value: Json | undefined): number | null => (typeof value === "number" ? value : null);
  return { signal: id(told.signal), run: id(told.run) };
}

/** The next signal of the log's sense, else the newest signal before; null when this sense emitted none. */
function signalOf(log: Log, signals: readonly Signal[]): Signal | null {
  const mine = signals.filter((signal) => log.source === `sense:${fullNameOf(signal)}`);
  return mine.find(({ at }) => at >= log.at) ?? mine.at(-1) ?? null;
}

/** Ids of `step.started` whose step has ended: the ending holds everything. The other steps were interrupted, or still run. */
function answeredStarts(logs: readonly Log[]): ReadonlySet<number> {
  const answered = new Set<number>();
  const begun = new Map<string, number>();
  for (const log of logs) {
    if (!log.event.startsWith("step.")) continue;
    const event = stepOf(log);
    if (event === null) continue;
    const key = `${log.run}\0${event.nth}\0${event.step}`;
    if (log.event === "step.started") begun.set(key, log.id);
    else {
      const start = begun.get(key);
      if (start !== undefined) answered.add(start);
      begun.delete(key);
    }
  }
  return answered;
}

/** The step of a log; null when the log is not about a step, or when nerve did not write it. */
function stepOf(log: Log): ShownStep | null {
  const told = eventOf(log);
  if (told === null) return null;
  const { event, data } = told;
  const none = { at: log.at, duration_ms: null, result: null, error: null, until: null };
  if (event === "step.started") {
    const { step, nth, attempt } = data;
    return { ...none, step, nth, attempt, state: "started" };
  }
  if (event === "step.completed") {
    const { step, nth, attempt, result, duration_ms } = data;
    return { ...none, step, nth, attempt, result, duration_ms, state: "completed" };
  }
  if (event !== "step.failed") return null;
  const { step, nth, attempt, error, duration_ms, until } = data;
  return { ...none, step, nth, attempt, error, duration_ms, until, state: "failed" };
}

/** The run event of a log; null also for a log that nerve did not write. */
export function eventOf(log: Log) {
  const found = runLogOf(log);
  return found.kind === "event" ? found.event : null;
}

/** The steps of a run, one for each time that a step ended or was interrupted. `logs` are the run's logs. */
export function stepsOf(logs: readonly Log[]): ShownStep[] {
  const answered = answeredStarts(logs);
  return logs.flatMap((log) => (answered.has(log.id) ? [] : (stepOf(log) ?? [])));
}

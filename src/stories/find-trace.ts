/**
 * Owns the search for a trace by its id, by the beginning of its id, or by one of its signals: without a read of whole tables, and
 * with pauses for whoever has other things to do.
 */

import { drained } from "../base/drained.ts";
import { err, ok, type Result } from "../base/result.ts";
import { traceTime } from "../base/trace-id.ts";
import type { Log } from "../model/log.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { Signal } from "../model/signal.ts";
import type { StoreReader } from "../store/open-reader.ts";
import { CLOCK_SLACK_MS } from "../store/search.ts";
import { ALL_SIGNALS } from "../store/signals.ts";

export interface Trace {
  readonly trace: string;
  readonly signals: readonly Signal[];
  readonly logs: readonly Log[];
}

/** A longer story is a list: `nerve logs --trace`. */
const MAX_ROWS = 10_000;
const CANDIDATES = 4;

/** Ids of signals that are looked through between two pauses. */
const WINDOW = 5_000;
const WHOLE_LENGTH = 32;

export function* tracingSignal(store: StoreReader, id: number): Generator<void, Result<Trace, Problem>> {
  const signal = store.signals.byId(id);
  if (signal === null) return err(problem("unknown-signal", `there is no signal #${id}`, kept(store)));
  const near = yield* reading(store, signal.trace);
  // The clock was set between the birth of the trace and the signal.
  return ok(near.signals.some((found) => found.id === id) ? near : yield* readingAll(store, signal.trace));
}

/** `prefix` holds the first hex digits of the trace's id. */
export function* tracingPrefix(store: StoreReader, prefix: string): Generator<void, Result<Trace, Problem>> {
  const traces = prefix.length === WHOLE_LENGTH ? [prefix] : yield* candidates(store, prefix);
  const [trace] = traces;
  if (traces.length > 1) {
    const listed = traces.slice(0, CANDIDATES - 1).join(", ") + (traces.length === CANDIDATES ? ", …" : "");
    return err(problem("ambiguous-trace", `several traces begin with ${prefix}: ${listed}`, "give more digits"));
  }
  const found = trace === undefined ? null : yield* reading(store, trace);
  if (found === null || found.signals.length + found.logs.length === 0) {
    return err(problem("unknown-trace", `there is no trace ${prefix}`, WHERE));
  }
  return ok(found);
}

const WHERE = "`nerve signals --json`, `runs --json` and `logs --json` show traces; retention may have removed it";

function kept({ signals }: StoreReader): string {
  const [first] = signals.list({ ...ALL_SIGNALS, limit: 1 });
  if (first !== undefined) return `those kept are #${first.id} to #${signals.lastId()}`;
  return signals.lastId() === 0 ? "there are no signals yet" : "none is kept: `retention` says for how long they are";
}

/** The rows of a trace come after its birth. Only a set clock puts them elsewhere. */
function* candidates(store: StoreReader, prefix: string): Generator<void, string[]> {
  const { signals, history } = store;
  const since = traceTime(prefix.padEnd(12, "0")) - CLOCK_SLACK_MS;
  const near = yield* beginning(store, prefix, signals.firstIdSince(since) - 1, history.firstIdSince(since) - 1);
  const found = near.size > 0 ? near : yield* beginning(store, prefix, 0, 0);
  return [...found].sort().slice(0, CANDIDATES);
}

/** Some traces that begin with `prefix`; more than the candidates are not looked for. */
function* beginning(
  { signals, history }: StoreReader,
  prefix: string,
  signal: number,
  log: number,
): Generator<void, Set<string>> {
  const found = new Set<string>();
  const last = signals.lastId();
  for (let after = signal; after < last && found.size < CANDIDATES; after += WINDOW) {
    for (const trace of signals.traces(prefix, after, after + WINDOW + 1, CANDIDATES)) found.add(trace);
    yield;
  }
  for (const trace of history.eachTrace(prefix, log)) {
    if (trace === null) yield;
    else found.add(trace);
    if (found.size >= 2 * CANDIDATES) break;
  }
  return found;
}

/** Reads the rows of a trace from the time in its id on. Where no rows are found, it reads from the first row on. */
export const read = (store: StoreReader, trace: string): Trace => drained(reading(store, trace));

function* reading(store: StoreReader, trace: string): Generator<void, Trace> {
  const since = traceTime(trace) - CLOCK_SLACK_MS;
  const { signals, history } = store;
  const near = yield* rowsBehind(store, trace, signals.firstIdSince(since) - 1, history.firstIdSince(since) - 1);
  return near.signals.length + near.logs.length > 0 ? near : yield* readingAll(store, trace);
}

const readingAll = (store: StoreReader, trace: string): Generator<void, Trace> => rowsBehind(store, trace, 0, 0);

function* rowsBehind(
  { signals, history }: StoreReader,
  trace: string,
  signal: number,
  log: number,
): Generator<void, Trace> {
  const found: Signal[] = [];
  const last = signals.lastId();
  for (let after = signal; after < last && found.length < MAX_ROWS; after += WINDOW) {
    const limit = MAX_ROWS - found.length;
    found.push(...signals.list({ ...ALL_SIGNALS, after, before: after + WINDOW + 1, trace, limit }));
    yield;
  }
  const logs: Log[] = [];
  for (const row of history.eachOfTrace(trace, log)) {
    if (row === null) yield;
    else if (logs.push(row) === MAX_ROWS) break;
  }
  return { trace, signals: found, logs };
}

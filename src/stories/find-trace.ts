/** Owns the search for a trace by its id, by the beginning of its id, or by one of its signals, without a read of whole tables. */

import { err, ok, type Result } from "../base/result.ts";
import { traceTime } from "../base/trace-id.ts";
import type { Log } from "../model/log.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { Signal } from "../model/signal.ts";
import { ALL_LOGS } from "../store/logs.ts";
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

export function traceOfSignal(store: StoreReader, id: number): Result<Trace, Problem> {
  const signal = store.signals.byId(id);
  if (signal === null) return err(problem("unknown-signal", `there is no signal #${id}`, kept(store)));
  const near = read(store, signal.trace);
  // The clock was set between the birth of the trace and the signal.
  return ok(near.signals.some((found) => found.id === id) ? near : readAll(store, signal.trace));
}

/** `prefix` holds the first hex digits of the trace's id. */
export function traceOfPrefix(store: StoreReader, prefix: string): Result<Trace, Problem> {
  const traces = candidates(store, prefix);
  const [trace] = traces;
  if (trace === undefined) return err(problem("unknown-trace", `there is no trace ${prefix}`, WHERE));
  if (traces.length === 1) return ok(read(store, trace));
  const listed = traces.slice(0, CANDIDATES - 1).join(", ") + (traces.length === CANDIDATES ? ", …" : "");
  return err(problem("ambiguous-trace", `several traces begin with ${prefix}: ${listed}`, "give more digits"));
}

const WHERE = "`nerve signals --json`, `runs --json` and `logs --json` show traces; retention may have removed it";

function kept({ signals }: StoreReader): string {
  const [first] = signals.list({ ...ALL_SIGNALS, limit: 1 });
  if (first !== undefined) return `those kept are #${first.id} to #${signals.lastId()}`;
  return signals.lastId() === 0 ? "there are no signals yet" : "none is kept: `retention` says for how long they are";
}

/** The rows of a trace come after its birth. Only a set clock puts them elsewhere. */
function candidates({ signals, history }: StoreReader, prefix: string): string[] {
  const since = traceTime(prefix.padEnd(12, "0")) - CLOCK_SLACK_MS;
  const look = (fromSignal: number, fromLog: number): string[] => [
    ...new Set([...signals.traces(prefix, fromSignal, CANDIDATES), ...history.traces(prefix, fromLog, CANDIDATES)]),
  ];
  const near = look(signals.firstIdSince(since), history.firstIdSince(since));
  return (near.length > 0 ? near : look(0, 0)).sort().slice(0, CANDIDATES);
}

/** Reads the rows of a trace from the time in its id on. Where no rows are found, it reads from the first row on. */
export function read(store: StoreReader, trace: string): Trace {
  const since = traceTime(trace) - CLOCK_SLACK_MS;
  const near = rowsFrom(store, trace, store.signals.firstIdSince(since), store.history.firstIdSince(since));
  return near.signals.length + near.logs.length > 0 ? near : readAll(store, trace);
}

const readAll = (store: StoreReader, trace: string): Trace => rowsFrom(store, trace, 1, 1);

const rowsFrom = ({ signals, history }: StoreReader, trace: string, fromSignal: number, fromLog: number): Trace => ({
  trace,
  signals: signals.list({ ...ALL_SIGNALS, after: fromSignal - 1, trace, limit: MAX_ROWS }),
  logs: history.page({ ...ALL_LOGS, after: fromLog - 1, trace, limit: MAX_ROWS }),
});

/** What `nerve show` is asked about: a run and what led to it, or a trace and everything in it. */
import { ok, type Result } from "../../base/result.ts";
import { traceTime } from "../../base/trace-id.ts";
import type { Log } from "../../model/log.ts";
import { problem } from "../../model/problem.ts";
import type { Run } from "../../model/run.ts";
import type { Signal } from "../../model/signal.ts";
import { ALL_LOGS } from "../../store/logs.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { EXIT, type Failure, fail, usageError } from "../frame/outcome.ts";
import { CLOCK_SLACK_MS } from "../lists/listing.ts";
import { parseNamed } from "../place/ids.ts";
import { type Trace, traceOfPrefix, traceOfSignal } from "./find-trace.ts";
import { firingOf, type Rows } from "./story.ts";

export interface Subject extends Rows {
  /** The run it is about, or null: a whole trace. */
  readonly run: Run | null;
  readonly trace: string;
  /** Unix milliseconds from which offsets count. */
  readonly begin: number;
  /** The signal that has the number which was taken as that of the run. */
  readonly namesake: Signal | null;
}

export function findStory(store: StoreReader, word: string): Result<Subject, Failure> {
  const named = parseNamed(word);
  if (named === null) {
    return usageError(
      `\`${word}\` is neither the id of a run or a signal nor a trace (8 to 32 hex digits)`,
      "`nerve signals --json` and `nerve runs --json` show them",
    );
  }
  if (named.kind === "trace") return ofTrace(store, traceOfPrefix(store, named.prefix));
  const { kind, id } = named;
  const run = kind === "signal" ? null : store.runs.byId(id);
  if (run !== null) return ok(ofRun(store, run, kind === "number" ? store.signals.byId(id) : null));
  if (kind === "run" || (kind === "number" && store.signals.byId(id) === null)) {
    const what = kind === "run" ? `no run ${id}` : `neither a run nor a signal ${id}`;
    const hint = "`nerve runs` and `nerve signals` show their ids; retention may have removed it";
    return fail(EXIT.usage, problem(kind === "run" ? "unknown-run" : "unknown-id", `there is ${what}`, hint));
  }
  return ofTrace(store, traceOfSignal(store, id));
}

function ofTrace(store: StoreReader, found: Result<Trace, Failure>): Result<Subject, Failure> {
  if (!found.ok) return found;
  const { trace, signals, logs } = found.value;
  const ids = new Set(logs.flatMap(({ run }) => run ?? []));
  const runs = [...ids].sort((a, b) => a - b).flatMap((id) => store.runs.byId(id) ?? []);
  return ok({ run: null, trace, begin: traceTime(trace), namesake: null, signals, logs, runs });
}

function ofRun(store: StoreReader, run: Run, namesake: Signal | null): Subject {
  const logs = [...firings(store, run), ...store.history.ofRun(run.id, run.first_log_id)];
  // What led to the run it repeats is that run's story.
  const signals = run.retry_of === null ? chainTo(store, run.signal_id) : [];
  const begin = Math.min(signals.length > 0 ? traceTime(run.trace) : run.queued_at, run.queued_at);
  return { run, trace: run.trace, begin, namesake, signals, logs, runs: [run] };
}

/** Rows around the beginning of a run among which its reflex's is: they are of one transaction. */
const NEAR = 100;

/** What its reflex said when it started the run. */
function firings(store: StoreReader, run: Run): Log[] {
  if (run.reflex === null) return [];
  const after = Math.max(0, run.first_log_id - NEAR);
  const since = run.queued_at - CLOCK_SLACK_MS;
  return store.history
    .page({ ...ALL_LOGS, after, since, limit: 2 * NEAR })
    .filter((log) => log.run === null && firingOf(log)?.run === run.id);
}

/** The signal and what caused it, as far as they are kept, the first cause first. */
function chainTo(store: StoreReader, id: number | null): Signal[] {
  const chain: Signal[] = [];
  for (let next = id; next !== null; ) {
    const signal: Signal | null = store.signals.byId(next);
    if (signal === null) break;
    chain.unshift(signal);
    next = signal.cause !== null && signal.cause < signal.id ? signal.cause : null;
  }
  return chain;
}

/**
 * Owns the search for the subject of `nerve show`: a run or an incident with its causes, or a trace with everything in it.
 */
import { drained } from "../base/drained.ts";
import { parseStored } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { bornAt } from "../base/trace-id.ts";
import { type Incident, isIncidentEvent } from "../model/incident-row.ts";
import type { Log } from "../model/log.ts";
import { parseNamed } from "../model/named.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { Run } from "../model/run.ts";
import type { Signal } from "../model/signal.ts";
import { ALL_INCIDENTS } from "../store/incidents.ts";
import { ALL_LOGS } from "../store/logs.ts";
import type { StoreReader } from "../store/open-reader.ts";
import type { Page } from "../store/page.ts";
import { logsOfRun } from "../store/run-logs.ts";
import { ALL_RUNS } from "../store/runs.ts";
import { CLOCK_SLACK_MS } from "../store/search.ts";
import { type Trace, tracingPrefix, tracingSignal } from "./find-trace.ts";
import { firingOf, type Rows } from "./story.ts";

export interface Subject extends Rows {
  /** The run or the incident of the story. Both are null for a whole trace. */
  readonly run: Run | null;
  readonly incident: Incident | null;
  readonly trace: string;
  /** Unix milliseconds. Offsets count from here. */
  readonly begin: number;
  /** The signal with the same number as the run. Null unless a bare number was asked for, and both exist. */
  readonly namesake: Signal | null;
}

export const findStory = (store: StoreReader, word: string): Result<Subject, Problem> =>
  drained(findingStory(store, word));

/** The search with pauses. */
export function* findingStory(store: StoreReader, word: string): Generator<void, Result<Subject, Problem>> {
  const named = parseNamed(word);
  if (named === null) {
    return err(
      problem(
        "usage",
        `\`${word}\` is neither the id of a run, a signal or an incident nor a trace (8 to 32 hex digits)`,
        "`nerve signals --json` and `nerve runs --json` show them",
      ),
    );
  }
  if (named.kind === "trace") return ofTrace(store, yield* tracingPrefix(store, named.prefix));
  if (named.kind === "incident") return yield* ofIncident(store, named.id);
  const { kind, id } = named;
  const run = kind === "signal" ? null : store.runs.byId(id);
  if (run !== null) return ok(ofRun(store, run, kind === "number" ? store.signals.byId(id) : null));
  if (kind === "run" || (kind === "number" && store.signals.byId(id) === null)) {
    const what = kind === "run" ? `no run ${id}` : `neither a run nor a signal ${id}`;
    const hint = `${nearestRun(store, id)}\`nerve runs\` and \`nerve signals\` show their ids; retention may have removed it`;
    return err(problem(kind === "run" ? "unknown-run" : "unknown-id", `there is ${what}`, hint));
  }
  return ofTrace(store, yield* tracingSignal(store, id));
}

type List = (page: Pick<Page, "after" | "limit" | "newest">) => readonly { readonly id: number }[];

/** The first id that is kept behind `id`, else the last one before. Null where nothing is kept. */
function nearest(id: number, list: List): number | null {
  const [behind] = list({ after: id, limit: 1, newest: false });
  const [last] = behind === undefined ? list({ after: 0, limit: 1, newest: true }) : [behind];
  return last?.id ?? null;
}

function nearestRun({ runs }: StoreReader, id: number): string {
  const near = nearest(id, (page) => runs.list({ ...ALL_RUNS, ...page }));
  return near === null ? "" : `the nearest run is ${near}; `;
}

function ofTrace(store: StoreReader, found: Result<Trace, Problem>): Result<Subject, Problem> {
  if (!found.ok) return found;
  const { trace, signals, logs } = found.value;
  const ids = new Set(logs.flatMap(({ run }) => run ?? []));
  const runs = [...ids].sort((a, b) => a - b).flatMap((id) => store.runs.byId(id) ?? []);
  const first = Math.min(...[signals[0]?.at, logs[0]?.at].filter((at) => at !== undefined));
  const begin = bornAt(trace, first);
  return ok({ run: null, incident: null, trace, begin, namesake: null, signals, logs, runs });
}

function ofRun(store: StoreReader, run: Run, namesake: Signal | null): Subject {
  const logs = [...firings(store, run), ...logsOfRun(store.history, run)];
  // The signals that led to the repeated run belong to the story of that run.
  const signals = run.retry_of === null ? chainTo(store, run.signal_id) : [];
  const begin = Math.min(signals.length > 0 ? bornAt(run.trace, run.queued_at) : run.queued_at, run.queued_at);
  return { run, incident: null, trace: run.trace, begin, namesake, signals, logs, runs: [run] };
}

/** An incident, the signal that opened it, and the runs that report it. */
function* ofIncident(store: StoreReader, id: number): Generator<void, Result<Subject, Problem>> {
  const incident = store.incidents.byId(id);
  if (incident === null) {
    const near = nearest(id, (page) => store.incidents.list({ ...ALL_INCIDENTS, ...page }));
    const hint = `${near === null ? "" : `the nearest is incident ${near}; `}\`nerve incidents\` shows their ids; retention may have removed it`;
    return err(problem("unknown-incident", `there is no incident ${id}`, hint));
  }
  const { reflex, trace, opened_at, first_log_id, last_log_id, signal_id } = incident;
  const logs: Log[] = [];
  const [since, sources] = [opened_at - CLOCK_SLACK_MS, [`reflex:${reflex}`]];
  for (let after = first_log_id - 1; after < last_log_id; after += WINDOW) {
    const before = Math.min(after + WINDOW, last_log_id) + 1;
    const page = store.history.page({ ...ALL_LOGS, after, before, since, sources });
    logs.push(...page.filter((log) => incidentIn(log) === id));
    yield;
  }
  const runs = store.incidents.reportsOf(reflex, id).flatMap((run) => store.runs.byId(run) ?? []);
  const signals = chainTo(store, signal_id);
  const begin = Math.min(signals.length > 0 ? bornAt(trace, opened_at) : opened_at, opened_at);
  return ok({ run: null, incident, trace, begin, namesake: null, signals, logs, runs });
}

/** Ids of logs that are looked through between two pauses. */
const WINDOW = 5_000;

/** The id of the incident that a log is about, or null. */
function incidentIn({ event, data }: Log): number | null {
  if (!isIncidentEvent(event) || data === null) return null;
  const told = parseStored(data);
  return typeof told === "object" && told !== null && !Array.isArray(told) && typeof told.incident === "number"
    ? told.incident
    : null;
}

/** The log of the reflex is among this many rows around the beginning of the run, because one transaction wrote both. */
const NEAR = 100;

/** The logs in which the reflex says that it started the run. */
function firings(store: StoreReader, run: Run): Log[] {
  if (run.reflex === null) return [];
  const after = Math.max(0, run.first_log_id - NEAR);
  const since = run.queued_at - CLOCK_SLACK_MS;
  return store.history
    .page({ ...ALL_LOGS, after, since, limit: 2 * NEAR })
    .filter((log) => log.run === null && firingOf(log)?.run === run.id);
}

/** The signal and its causes that are still kept, the first cause first. */
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

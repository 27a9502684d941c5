/**
 * Owns what the logs say about runs: how a run goes on, and whether its row agrees with the logs. The log is the truth
 * (G3): a row that disagrees is put right from the logs. Logs that cannot be read, that contradict each other, or that lack
 * a log of the row's count, are a problem that a person must mend.
 */
import { err, ok, type Result } from "../../base/result.ts";
import type { BatchWait } from "../../model/batch.ts";
import type { Log } from "../../model/log.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { isQuiet, QUIET_EVENTS } from "../../model/quiet-events.ts";
import type { Run, RunEvent } from "../../model/run.ts";
import { incidentOf } from "../../model/run-decision.ts";
import { agrees, EventsGone, RunChain, type RunLog, runLogOf } from "../../model/run-log.ts";
import { isCount } from "../../store/columns.ts";
import { RESTORE } from "../../store/damage.ts";
import type { LogHistory } from "../../store/log-history.ts";
import type { Store } from "../../store/open.ts";
import { differencesTo, eventsGone, goneMessage } from "../../store/run-comparison.ts";
import { historyOf } from "./history-fold.ts";
import type { LeftRun } from "./left-runs.ts";
import { inheritable } from "./run-history.ts";
import type { Assignment, Wait } from "./slots.ts";

/**
 * A run as its logs describe it. `found` is its row, null where there is none. `differs` is true where the two differ. `quiet`
 * events came since the newest one that changed the row.
 */
export interface Reading {
  readonly row: Run;
  readonly quiet: number;
  readonly found: Run | null;
  readonly differs: boolean;
}

/** `wait` is the wait of a sleeping run. */
export interface Standing extends Reading {
  readonly wait: Wait | null;
  /** Until when a queued run waits for others of its group, else null. */
  readonly batch: BatchWait | null;
  /** The incidents of the runs that joined it. */
  readonly carries: readonly string[];
}

/** The logs of a run that has begun, with what the run needs to go on. */
export interface ReadHistory extends Reading {
  readonly assignment: Assignment;
}

/** The columns by which the logs of a run are found. */
type Begun = Pick<Run, "id" | "first_log_id">;

export class Histories {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Reads what a run that has begun needs to go on, with its inheritance and its order. */
  of(run: Begun): Result<ReadHistory, Problem> {
    const read = this.#read(run.id, (history) => this.#fold(run, history));
    return read.ok ? read.value : read;
  }

  /** Reads the logs in pieces. Only what a replay needs is held in memory. */
  #fold({ id, first_log_id }: Begun, history: LogHistory): Result<ReadHistory, Problem> {
    const logs = strictly(history, history.eachOfRun(id, first_log_id));
    const first = logs.next();
    if (first.done || first.value.kind !== "event" || first.value.event.event !== "run.queued")
      return err(headless(id));
    const { input, trigger, decision, retry_of: retryOf, from_step: fromStep } = first.value.event.data;
    const before = retryOf === null ? null : this.of(this.#begun(retryOf));
    if (before !== null && !before.ok) return before;
    const inherited = before === null ? null : before.value.assignment;
    const kept = inherited === null ? null : inheritable(inherited.history, fromStep);
    // The thread gets the trigger of the run before it.
    const told = inherited?.order.trigger ?? trigger;
    const chain = new RunChain(first.value.row, first.value.event);
    let batch = inherited?.batch ?? null;
    const begins = (event: RunEvent): void => {
      if (event.event === "run.started") batch = event.data.batch ?? batch;
    };
    const folded = historyOf(linked(first.value, logs, chain, begins), kept ?? undefined);
    const reading = this.#compared(chain, this.#store.runs.asFound(id));
    if (!reading.ok) return reading;
    const order = { input, trigger: told, decision, trace: chain.row.trace, retryOf, fromStep };
    return ok({ ...reading.value, assignment: { history: folded, order, batch } });
  }

  /** The run that run `id` joined. Null where that cannot be read. */
  joinedInto(id: number): number | null {
    const read = this.#read(id, (history) => {
      for (const log of strictly(history, history.eachOfRun(id, 0))) {
        if (log.kind === "event" && log.event.event === "run.joined") return log.event.data.into;
      }
      return null;
    });
    return read.ok ? read.value : null;
  }

  /** Without a row the begin of the logs is not known. */
  #begun(id: number): Begun {
    return this.#store.runs.byId(id) ?? { id, first_log_id: 0 };
  }

  /**
   * The standing of a run that an earlier kernel left: from its oldest event, and from the newest one that changed its row, or
   * from all its events where the row does not agree with those two.
   */
  standing({ id, row, isWhole, firstLog }: LeftRun): Result<Standing, Problem> {
    const ends = isWhole && row !== null ? this.#endsOf(row) : null;
    if (row !== null && ends !== null) {
      const { batch, newest, quiet } = ends;
      return ok({ row, quiet, found: row, differs: false, wait: waitOf(newest), ...this.#batching(row, batch) });
    }
    const noted = firstLog === null ? null : this.#folded(id, row, firstLog);
    return noted?.ok ? noted : this.#folded(id, row, 0);
  }

  /** What a run that waited in a batch needs after a restart. Only a run that has begun has taken others along. */
  #batching(row: Run, batch: BatchWait | null): Pick<Standing, "batch" | "carries"> {
    if (batch === null || row.state === "queued") return { batch, carries: [] };
    const read = this.#read(row.id, (history) => {
      for (const log of strictly(history, history.eachOfRun(row.id, row.first_log_id))) {
        if (log.kind === "event" && log.event.event === "run.started") return log.event.data.joined;
      }
      return [];
    });
    const decisions = (read.ok ? read.value : []).map((run) => this.#store.runs.byId(run)?.decision ?? null);
    return { batch: null, carries: [...new Set(decisions.flatMap((decision) => incidentOf(decision) ?? []))] };
  }

  /** The quiet events since the one that a row names, whatever else stands in the logs. Those in the archive are not counted. */
  quietOf({ id, state, last_log_id }: Run): number {
    return state === "running" ? this.#store.logs.countOfRun(id, last_log_id, QUIET_EVENTS) : 0;
  }

  /** The batch of the oldest event, the event that the row names, and the quiet events since, where the row agrees with all. */
  #endsOf(row: Run): { readonly batch: BatchWait | null; readonly newest: RunEvent; readonly quiet: number } | null {
    const { id, state, first_log_id, last_log_id } = row;
    const read = this.#read(id, (history) => {
      const first = history.byId(first_log_id);
      const told = first?.run === id ? runLogOf(first) : null;
      if (told?.kind !== "event") return null;
      const named = history.byId(last_log_id);
      const newest = named?.run === id ? runLogOf(named) : null;
      if (newest?.kind !== "event" || told.event.event !== "run.queued" || !agrees(row, told, newest)) return null;
      let quiet = 0;
      for (const log of history.eachOfRun(id, last_log_id + 1)) {
        if (isQuiet(state, log.event)) quiet++;
        else if (runLogOf(log).kind !== "beside") return null;
      }
      if (quiet > 0 && isQuiet(state, newest.event.event)) return null;
      return { batch: told.event.data.batch, newest: newest.event, quiet };
    });
    return read.ok ? read.value : null;
  }

  #folded(id: number, found: Run | null, fromLog: number): Result<Standing, Problem> {
    const read = this.#read(id, (history) => foldOf(strictly(history, history.eachOfRun(id, fromLog))));
    if (!read.ok) return read;
    if (read.value === null) return err(headless(id));
    const { chain, wait, batch } = read.value;
    const { row } = chain;
    const reading = this.#compared(chain, found);
    if (!reading.ok) return reading;
    return ok({ ...reading.value, wait: row.state === "sleeping" ? wait : null, ...this.#batching(row, batch) });
  }

  /** Compares the row that comes from the logs with the row that was found. */
  #compared(chain: RunChain, found: Run | null): Result<Reading, Problem> {
    const { row, quiet } = chain;
    const lost = this.#lostLog(chain, found);
    if (lost !== null) return err(incomplete(row.id, lost));
    const differs = differencesTo(found, chain).length > 0;
    const holder = differs ? this.#holderOf(row) : null;
    if (holder !== null) return err(taken(row, holder));
    return ok({ row, quiet, found, differs });
  }

  /** A sentence about the log of a run that is gone. Null where the row proves no loss. */
  #lostLog({ row, counted }: RunChain, found: Run | null): string | null {
    const named = found?.last_log_id ?? 0;
    if (isCount(named) && named > row.last_log_id && named <= this.#store.logs.lastId()) {
      if (this.#store.history.byId(named) === null) return `log ${named} is gone, which its row names`;
    }
    const must = named === row.last_log_id ? row : counted;
    const gone = eventsGone(found, must);
    return gone === 0 ? null : goneMessage(must, gone);
  }

  /** Another run whose row has the same decision. */
  #holderOf({ id, reflex, decision }: Run): number | null {
    if (reflex === null || decision === null) return null;
    const holder = this.#store.runs.decidedAsFound(reflex, decision)?.id ?? null;
    return holder === id ? null : holder;
  }

  /** Reads archive and table. An archive file or a row may be damaged. */
  #read<T>(run: number, read: (history: LogHistory) => T): Result<T, Problem> {
    try {
      return ok(read(this.#store.history));
    } catch (error) {
      if (error instanceof EventsGone) return err(incomplete(run, error.message));
      // The ledger deals with what time can heal. A damaged page is like any other damage.
      const code = String((error as { code?: unknown }).code ?? "");
      if (code.startsWith("SQLITE_") && !code.startsWith("SQLITE_CORRUPT")) throw error;
      const { problem: found } = error as { problem?: Problem };
      const message = `the history of run ${run} cannot be read: ${(error as Error).message}`;
      return err(problem("damaged-history", message, found?.hint ?? RESTORE));
    }
  }
}

/** Each log with its kind. Throws `StoreDamaged` for a log that nerve did not write. */
function* strictly(history: LogHistory, logs: Iterable<Log>): Generator<RunLog> {
  for (const log of logs) {
    const told = runLogOf(log);
    if (told.kind === "damaged") throw history.damagedLog(told);
    yield told;
  }
}

/** `first` and the rest. The rest become links of `chain`, and `each` sees their events. */
function* linked(
  first: RunLog,
  rest: Iterable<RunLog>,
  chain: RunChain,
  each: (event: RunEvent) => void,
): Generator<RunLog> {
  yield first;
  for (const log of rest) {
    if (log.kind === "event") {
      chain.take(log.row, log.event, log.n);
      each(log.event);
    }
    yield log;
  }
}

/** Null where the logs do not begin with `run.queued`. Throws for an event that cannot follow. */
function foldOf(
  logs: Iterable<RunLog>,
): { readonly chain: RunChain; readonly wait: Wait | null; readonly batch: BatchWait | null } | null {
  let chain: RunChain | null = null;
  let wait: Wait | null = null;
  let batch: BatchWait | null = null;
  for (const log of logs) {
    if (log.kind !== "event") continue;
    if (chain === null && log.event.event !== "run.queued") return null;
    if (chain === null) chain = new RunChain(log.row, log.event);
    else chain.take(log.row, log.event, log.n);
    if (WAITS.has(log.event.event)) wait = waitOf(log.event);
    if (log.event.event === "run.queued") batch = log.event.data.batch;
  }
  return chain === null ? null : { chain, wait, batch };
}

const headless = (run: number): Problem =>
  problem(
    "damaged-history",
    `the logs of run ${run} do not begin with run.queued`,
    `put back a copy of logs.db; \`nerve rebuild\` takes away the row of a run that has no logs`,
  );

const incomplete = (run: number, what: string): Problem =>
  problem(
    "damaged-history",
    `the history of run ${run} is not whole: ${what}`,
    `put back a copy of logs.db, or end the run with \`nerve cancel ${run}\``,
  );

const taken = ({ id, decision }: Run, holder: number): Problem =>
  problem("damaged-history", `the row of run ${holder} has the decision of run ${id}, ${decision}`, "`nerve rebuild`");

const WAITS: ReadonlySet<string> = new Set(["run.sleeping", "run.retrying"]);

function waitOf({ event, data }: RunEvent): Wait | null {
  if (event === "run.retrying") return { due: data.due, reason: "retry" };
  if (event === "run.sleeping" && data.reason !== "stop") return { due: data.due, reason: "slept" };
  return null;
}

/**
 * What the logs say of runs: how a run goes on, and whether its row agrees with them. The log is the truth (G3): a row that
 * disagrees is put right from it. What cannot be read, or contradicts itself, is a problem that a person has to mend.
 */
import { err, ok, type Result } from "../../base/result.ts";
import type { Log } from "../../model/log.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { advance, type Recorded, type Run, type RunEvent, runEventOf } from "../../model/run.ts";
import type { LogHistory } from "../../store/log-history.ts";
import type { Store } from "../../store/open.ts";
import type { FoundRun } from "../../store/runs.ts";
import { historyOf } from "./history-fold.ts";
import { inheritable } from "./run-history.ts";
import type { Assignment, Wait } from "./slots.ts";

/** The run as its logs have it, and for what it waits where it sleeps. `differs`: its row is another. */
export interface Standing {
  readonly row: Run;
  readonly wait: Wait | null;
  readonly differs: boolean;
}

interface Told {
  readonly row: Recorded;
  readonly event: RunEvent;
}

export class Histories {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** What a run that has begun goes on with, what it inherits from another included, and what it was made of. */
  of(row: Run): Result<Assignment, Problem> {
    const read = this.#read(row.id, (history) => this.#fold(row, history));
    return read.ok ? read.value : read;
  }

  /** Its logs are read in pieces: only what a replay needs of them is held. */
  #fold(row: Run, history: LogHistory): Result<Assignment, Problem> {
    const logs = history.eachOfRun(row.id, row.first_log_id);
    const first = logs.next();
    const head = first.done ? null : runEventOf(first.value);
    if (first.done || head?.event.event !== "run.queued") return err(headless(row.id));
    const { input, trigger, decision, retry_of: retryOf, from_step: fromStep } = head.event.data;
    const before = retryOf === null ? null : this.#store.runs.byId(retryOf);
    const inherited = before === null ? null : this.of(before);
    if (inherited !== null && !inherited.ok) return inherited;
    const kept = inherited === null ? null : inheritable(inherited.value.history, fromStep);
    // Its thread is given the trigger of the run before it.
    const told = inherited?.value.order.trigger ?? trigger;
    const order = { input, trigger: told, decision, trace: row.trace, retryOf, fromStep };
    return ok({ history: historyOf(following(first.value, logs), kept ?? undefined), order });
  }

  /** The run that run `id` joined; null where that cannot be read. */
  joinedInto(id: number): number | null {
    const read = this.#read(id, (history) => {
      for (const log of history.eachOfRun(id, 0)) {
        const event = runEventOf(log)?.event;
        if (event?.event === "run.joined") return event.data.into;
      }
      return null;
    });
    return read.ok ? read.value : null;
  }

  /** Where a run stands that an earlier kernel left: by its newest event, or by all of them where the row does not fit it. */
  standing({ row, isWhole }: FoundRun): Result<Standing, Problem> {
    if (!isWhole) return this.#folded(row);
    const told = this.#events(row.id, row.last_log_id);
    if (!told.ok) return told;
    const [newest, later] = told.value;
    if (newest?.row.id === row.last_log_id && later === undefined && fits(row, newest.event)) {
      return ok({ row, wait: waitOf(newest.event), differs: false });
    }
    return this.#folded(row);
  }

  #folded(row: Run): Result<Standing, Problem> {
    const read = this.#read(row.id, (history) => foldOf(history.eachOfRun(row.id, 0)));
    if (!read.ok) return read;
    const { row: folded, wait } = read.value;
    if (folded === null) return err(headless(row.id));
    const holder = this.#holderOf(folded);
    if (holder !== null) return err(taken(folded, holder));
    const differs = !Bun.deepEquals(folded, row);
    return ok({ row: folded, wait: folded.state === "sleeping" ? wait : null, differs });
  }

  /** Another run whose row has its decision. */
  #holderOf({ id, reflex, decision }: Run): number | null {
    if (reflex === null || decision === null) return null;
    const holder = this.#store.runs.decidedAsFound(reflex, decision)?.id ?? null;
    return holder === id ? null : holder;
  }

  #events(run: number, fromId: number): Result<Told[], Problem> {
    return this.#read(run, (history) => [...history.eachOfRun(run, fromId)].flatMap((log) => runEventOf(log) ?? []));
  }

  /** Archive and table; an archive file or a row may be damaged. */
  #read<T>(run: number, read: (history: LogHistory) => T): Result<T, Problem> {
    try {
      return ok(read(this.#store.history));
    } catch (error) {
      // What time can heal is the ledger's to deal with; a damaged page is as any other damage.
      const code = String((error as { code?: unknown }).code ?? "");
      if (code.startsWith("SQLITE_") && !code.startsWith("SQLITE_CORRUPT")) throw error;
      return err(problem("damaged-history", `the history of run ${run} cannot be read: ${(error as Error).message}`));
    }
  }
}

function* following(first: Log, rest: Iterable<Log>): Generator<Log> {
  yield first;
  yield* rest;
}

/** Throws for what cannot follow. */
function foldOf(logs: Iterable<Log>): { readonly row: Run | null; readonly wait: Wait | null } {
  let row: Run | null = null;
  let wait: Wait | null = null;
  for (const log of logs) {
    const found = runEventOf(log);
    if (found === null) continue;
    row = advance(row, found.row, found.event);
    if (WAITS.has(found.event.event)) wait = waitOf(found.event);
  }
  return { row, wait };
}

const headless = (run: number): Problem =>
  problem("damaged-history", `the logs of run ${run} do not begin with run.queued`);

const taken = ({ id, decision }: Run, holder: number): Problem =>
  problem("damaged-history", `the row of run ${holder} has the decision of run ${id}, ${decision}`, "`nerve rebuild`");

/** Whether `event` can be the newest of a run with this row. */
function fits({ state, attempt }: Run, { event, data }: RunEvent): boolean {
  switch (event) {
    case "run.queued":
      return state === "queued";
    case "run.started":
    case "run.resumed":
      return state === "running" && attempt === data.attempt;
    case "step.started":
    case "step.completed":
    case "step.failed":
    case "sleep.started":
    case "sleep.ended":
      return state === "running";
    case "run.sleeping":
      return state === "sleeping";
    case "run.retrying":
      return state === "sleeping" && attempt === data.attempt - 1;
    default:
      return false;
  }
}

const WAITS: ReadonlySet<string> = new Set(["run.sleeping", "run.retrying"]);

function waitOf({ event, data }: RunEvent): Wait | null {
  if (event === "run.retrying") return { due: data.due, reason: "retry" };
  if (event === "run.sleeping" && data.reason !== "stop") return { due: data.due, reason: "slept" };
  return null;
}

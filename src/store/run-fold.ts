/**
 * Runs as the logs tell them, in one pass in id order. A run is handed over at its ending and forgotten, so that memory
 * is that of the runs alive at once. What cannot be folded is a fault, told once a run.
 */

import { isStoredJson } from "../base/json.ts";
import type { Log } from "../model/log.ts";
import { advance, isOver, isRunEvent, type Run, runEventOf } from "../model/run.ts";
import { IdSet } from "./id-set.ts";

/** A log that cannot follow what was before it. */
export interface Fault {
  /** Null: the log is of no run. */
  readonly run: number | null;
  readonly log: number;
  readonly message: string;
}

export class RunFold {
  readonly #alive = new Map<number, Run>();
  readonly #queued = new IdSet();
  readonly #broken = new Set<number>();
  readonly #tell: (fault: Fault) => void;
  #firstLog: number | null = null;
  #lastLog = 0;
  #highestRun = 0;
  #events = 0;

  constructor(tell: (fault: Fault) => void) {
    this.#tell = tell;
  }

  /** The run that is over with this log, or null. */
  take(log: Log): Run | null {
    this.#firstLog ??= log.id;
    this.#lastLog = log.id;
    const isRead = log.data === null || isStoredJson(log.data);
    if (!isRead && (log.run === null || !isRunEvent(log.event))) this.#tell(unreadable(log));
    if (log.run === null) return null;
    this.#highestRun = Math.max(this.#highestRun, log.run);
    if (this.#broken.has(log.run)) return null;
    try {
      return this.#fold(log, log.run);
    } catch (error) {
      const said = (error as Error).message;
      const message = said.startsWith("log ") ? said : `log ${log.id}: ${log.event} cannot be read: ${said}`;
      this.#broken.add(log.run);
      this.#alive.delete(log.run);
      this.#tell({ run: log.run, log: log.id, message });
      return null;
    }
  }

  #fold(log: Log, id: number): Run | null {
    const told = runEventOf(log);
    if (told === null) return null;
    this.#events++;
    const { row, event } = told;
    const run = this.#alive.get(id) ?? null;
    if (run === null && this.#queued.has(id))
      throw new Error(`log ${log.id}: ${log.event} of run ${id}, which is over`);
    if (run === null && event.event !== "run.queued" && this.#beganBefore(id)) return null;
    const next = advance(run, row, event);
    const column = unstorable(next);
    if (column !== null) throw new Error(`it says nothing of ${column}`);
    if (run === null) this.#queued.add(id);
    if (isOver(next.state)) {
      this.#alive.delete(id);
      return next;
    }
    this.#alive.set(id, next);
    return null;
  }

  /** Ids are given in the order of `run.queued`: that of a lower one was in logs that retention has removed. */
  #beganBefore(run: number): boolean {
    return this.#firstLog !== 1 && run < (this.#queued.lowest ?? Number.POSITIVE_INFINITY);
  }

  /** Runs that are not over, after what was taken so far. */
  alive(): Iterable<Run> {
    return this.#alive.values();
  }

  /** Whether its `run.queued` was among the logs. */
  knows(run: number): boolean {
    return this.#queued.has(run) || this.#broken.has(run);
  }

  get runs(): number {
    return this.#queued.size;
  }
  /** Run events among the logs. */
  get events(): number {
    return this.#events;
  }
  get firstLog(): number | null {
    return this.#firstLog;
  }
  get lastLog(): number {
    return this.#lastLog;
  }
  /** The highest run id in any log. */
  get highestRun(): number {
    return this.#highestRun;
  }
}

const unreadable = ({ id, run, event }: Log): Fault => ({
  run,
  log: id,
  message: `log ${id}: the data of ${event} is not the text of a JSON value`,
});

/** A column that no table could hold, or null: a log whose `data` was not written by nerve. */
function unstorable(run: Run): string | null {
  for (const column in run) {
    const value = run[column as keyof Run] as unknown;
    if (value === undefined || (typeof value === "object" && value !== null)) return column;
  }
  return null;
}

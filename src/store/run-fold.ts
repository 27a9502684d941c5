/**
 * Runs as the logs tell them, in one pass in id order. A run is handed over at its ending and forgotten, so that memory
 * is that of the runs alive at once. What cannot be folded is a fault, told once a run.
 */

import { isStoredJson } from "../base/json.ts";
import type { Log } from "../model/log.ts";
import { isOver, isRunEvent } from "../model/run.ts";
import { damagedMessage, RunChain, runLogOf } from "../model/run-log.ts";
import { IdSet } from "./id-set.ts";

/** A log that cannot follow what was before it. */
export interface Fault {
  /** Null: the log is of no run. */
  readonly run: number | null;
  readonly log: number;
  readonly message: string;
}

export class RunFold {
  readonly #alive = new Map<number, RunChain>();
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
  take(log: Log): RunChain | null {
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
      this.#broken.add(log.run);
      this.#alive.delete(log.run);
      this.#tell({ run: log.run, log: log.id, message: (error as Error).message });
      return null;
    }
  }

  #fold(log: Log, id: number): RunChain | null {
    const told = runLogOf(log);
    if (told.kind === "beside") return null;
    const known = this.#alive.get(id) ?? null;
    const isQueued = log.event === "run.queued";
    if (known === null && !isQueued && !this.#queued.has(id) && this.#beganBefore(id)) return null;
    if (told.kind === "damaged") throw new Error(damagedMessage(told));
    this.#events++;
    if (known === null && this.#queued.has(id))
      throw new Error(`log ${log.id}: ${log.event} of run ${id}, which is over`);
    if (known === null) {
      this.#alive.set(id, new RunChain(told.row, told.event));
      this.#queued.add(id);
      return null;
    }
    known.take(told.row, told.event, told.n);
    if (!isOver(known.row.state)) return null;
    this.#alive.delete(id);
    return known;
  }

  /** Ids are given in the order of `run.queued`: that of a lower one was in logs that retention has removed. */
  #beganBefore(run: number): boolean {
    return this.#firstLog !== 1 && run < (this.#queued.lowest ?? Number.POSITIVE_INFINITY);
  }

  /** Runs that are not over, after what was taken so far. */
  alive(): Iterable<RunChain> {
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

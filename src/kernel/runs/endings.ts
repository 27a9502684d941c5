/**
 * Runs that ended badly, for whoever watches nerve: read from the logs of their endings, whose ids only grow, so that a watcher
 * with a cursor reports each run once. A run that a signal of the watcher itself led to is its *own*: an own run wakes no
 * watcher, and is in no list, so that a notification that fails cannot lead to the next one.
 */

import { isJsonObject, readJson } from "../../base/json.ts";
import type { Failure, Failures } from "../../control/contract.ts";
import { OBSERVER } from "../../model/full-name.ts";
import type { Log } from "../../model/log.ts";
import type { Run, RunEventName, RunState } from "../../model/run.ts";
import type { Store } from "../../store/open.ts";

const STATES: ReadonlyMap<string, RunState> = new Map([
  ["run.failed", "failed"],
  ["run.timed-out", "timed-out"],
  ["run.dropped", "dropped"],
] satisfies readonly [RunEventName, RunState][]);
const EVENTS = [...STATES.keys()];
const BAD: readonly RunState[] = [...STATES.values()];

/** How many are kept for people. */
const KEPT = 100;
/** A new kernel looks for those of the kernel before among so many runs. */
const LOOKED_THROUGH = 1_000;

/** How many logs one answer looks through: commits wait meanwhile (G15). */
const LOGS_READ = 5_000;
/** How many causes are followed back: senses that wake one another have no end. */
const CAUSES_READ = 100;

export interface EndingsParts {
  readonly store: Pick<Store, "logs" | "runs" | "signals" | "archive">;
  /** Whether the sense of this name watches the kernel. */
  readonly isWatcher: (sense: string) => boolean;
}

export class Endings {
  readonly #store: EndingsParts["store"];
  readonly #isWatcher: (sense: string) => boolean;
  /** The newest log of the kernel before. */
  readonly #before: number;
  #newest: Failure[] = [];
  #count = 0;

  constructor({ store, isWatcher }: EndingsParts) {
    this.#store = store;
    this.#isWatcher = isWatcher;
    this.#before = store.logs.lastId();
    const rows = store.runs.endedAs(BAD, Math.max(0, store.runs.lastId() - LOOKED_THROUGH));
    for (const row of rows.sort((a, b) => a.last_log_id - b.last_log_id)) this.#keep(row);
  }

  /** The newest for people, in the order in which they ended. */
  get newest(): readonly Failure[] {
    return this.#newest;
  }

  /** How many runs ended badly since the kernel started, own runs left out. */
  get count(): number {
    return this.#count;
  }

  /** A run has ended with this row. */
  add(run: Run): void {
    if (!BAD.includes(run.state)) return;
    this.#keep(run);
    if (!this.isOwn(run.signal_id)) this.#count++;
  }

  #keep({ id, workflow, state, error, ended_at, last_log_id }: Run): void {
    this.#newest.push({ id: last_log_id, run: id, workflow, state, error, at: ended_at ?? 0 });
    if (this.#newest.length > KEPT) this.#newest = this.#newest.slice(-KEPT);
  }

  /** Whether signal `id`, which started a run, is one of a watcher, or has one among its causes. */
  isOwn(id: number | null): boolean {
    let next = id;
    for (let left = CAUSES_READ; next !== null && left > 0; left--) {
      const signal = this.#store.signals.byId(next);
      if (signal === null) return false;
      if (signal.origin === null ? this.#isWatcher(signal.sense) : signal.sense === OBSERVER) return true;
      next = signal.cause;
    }
    return false;
  }

  /** Null: from the start of this kernel on. What one answer leaves is behind its `up_to`. */
  after(cursor: number | null): Failures {
    const { logs, archive } = this.#store;
    const newest = logs.lastId();
    const archived = archive.upTo();
    const isAnew = cursor !== null && cursor > newest;
    const from = isAnew ? 0 : (cursor ?? this.#before);
    const after = Math.min(Math.max(from, archived), newest);
    const upTo = Math.min(newest, after + LOGS_READ);
    return {
      runs: logs.ofEvents(EVENTS, after, upTo).flatMap((log) => this.#failureOf(log)),
      up_to: upTo,
      newest,
      archived: isAnew ? 0 : after - from,
    };
  }

  #failureOf({ id, at, source, event, run, data }: Log): Failures["runs"] {
    const state = STATES.get(event);
    if (state === undefined || run === null) return [];
    const recorded = data === null ? undefined : readJson(data);
    const error = isJsonObject(recorded) && typeof recorded.error === "string" ? recorded.error : null;
    const own = this.isOwn(this.#store.runs.byId(run)?.signal_id ?? null);
    return [{ id, run, workflow: source.slice(source.indexOf(":") + 1), state, error, at, own }];
  }
}

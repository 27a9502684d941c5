/**
 * Owns the newest runs that ended badly, for whoever watches nerve. Each has the id of the log of its ending. These ids
 * only grow, so a watcher reports each run once.
 */
import type { Status } from "../../control/contract.ts";
import { BAD_ENDINGS, type Run } from "../../model/run.ts";
import type { Store } from "../../store/open.ts";

type Failure = Status["failures"][number];

const KEPT = 100;
/** A new kernel looks through this many runs for bad endings under the earlier kernel. */
const LOOKED_THROUGH = 1_000;

export class Endings {
  #newest: Failure[] = [];

  constructor(store: Store) {
    const after = Math.max(0, store.runs.lastId() - LOOKED_THROUGH);
    const rows = store.runs.endedAs(BAD_ENDINGS, after);
    for (const row of rows.sort((a, b) => a.last_log_id - b.last_log_id)) this.add(row);
  }

  /** Called when a run has ended with this row. */
  add({ id, workflow, state, error, ended_at, last_log_id }: Run): void {
    if (!BAD_ENDINGS.includes(state)) return;
    this.#newest.push({ id: last_log_id, run: id, workflow, state, error, at: ended_at ?? 0 });
    if (this.#newest.length > KEPT) this.#newest = this.#newest.slice(-KEPT);
  }

  /** The runs in the order in which they ended. */
  get newest(): readonly Failure[] {
    return this.#newest;
  }
}

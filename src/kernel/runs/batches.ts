/**
 * Owns the runs of one workflow that wait for others of their group. The run with the lowest id is the first of its group.
 * The first joins the line when its time has come. No other run of the group becomes the first until that run has begun or
 * is gone. The time lies on the axis of elapsed time, and stands in the log of the run.
 */
import type { LiveRun } from "../memory/run.ts";
import type { Lifetime } from "../time/lifetime.ts";
import type { Handle, Ticker } from "../time/ticker.ts";

interface Group {
  /** The runs that wait, in the order of their ids. */
  runs: Set<LiveRun>;
  /** The highest id that has come. */
  newest: number;
  first: LiveRun | null;
  /** The timer of `first`. Null where `first` has joined the line. */
  handle: Handle | null;
}

export interface BatchesParts {
  readonly ticker: Ticker;
  readonly lifetime: Lifetime;
  /** Called when the time of the first run of a group has come. */
  readonly gathered: (run: LiveRun) => void;
}

const NONE: ReadonlySet<LiveRun> = new Set();

export class Batches {
  readonly #parts: BatchesParts;
  readonly #groups = new Map<string, Group>();
  #size = 0;

  constructor(parts: BatchesParts) {
    this.#parts = parts;
  }

  /** The number of runs that wait here. A first run that has joined the line does not. */
  get size(): number {
    return this.#size;
  }

  /** The run waits for others from now on. */
  add(run: LiveRun): void {
    const name = run.batch?.group ?? "";
    const group = this.#groups.get(name) ?? { runs: new Set(), newest: 0, first: null, handle: null };
    this.#groups.set(name, group);
    group.runs.add(run);
    this.#size++;
    // A report whose turn has come may be older than those that wait.
    if (run.id < group.newest) group.runs = new Set([...group.runs].sort((a, b) => a.id - b.id));
    else group.newest = run.id;
    if (group.first === null || (group.handle !== null && run.id < group.first.id)) this.#chooseFirst(group);
  }

  /** The run no longer waits here. Where it was the first of its group, the next run is that. */
  delete(run: LiveRun): void {
    const name = run.batch?.group ?? "";
    const group = run.batch === null ? undefined : this.#groups.get(name);
    if (group === undefined) return;
    if (group.runs.delete(run)) this.#size--;
    if (group.first !== run) return;
    if (group.runs.size === 0) this.#groups.delete(name);
    this.#chooseFirst(group);
  }

  /** The waiting runs of the group of `run`, in the order of their ids. */
  beside(run: LiveRun): ReadonlySet<LiveRun> {
    return (run.batch === null ? undefined : this.#groups.get(run.batch.group)?.runs) ?? NONE;
  }

  /** From now on no run waits for others. Returns all runs that did, in the order of their ids. */
  dissolve(): LiveRun[] {
    const all = [...this.#groups.values()];
    for (const { handle } of all) handle?.cancel();
    this.#groups.clear();
    this.#size = 0;
    return all.flatMap(({ runs }) => [...runs]).sort((a, b) => a.id - b.id);
  }

  #chooseFirst(group: Group): void {
    group.handle?.cancel();
    group.handle = null;
    const [first = null] = group.runs;
    group.first = first;
    if (first !== null) this.#await(group, first);
  }

  #await(group: Group, first: LiveRun): void {
    const { ticker, lifetime, gathered } = this.#parts;
    const left = (first.batch?.due ?? 0) - lifetime.now();
    if (left > 0) {
      group.handle = ticker.after(left, () => this.#await(group, first));
      return;
    }
    group.handle = null;
    if (group.runs.delete(first)) this.#size--;
    gathered(first);
  }
}

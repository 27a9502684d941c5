/**
 * Owns the runs of one workflow that report incidents. Reports of one incident never overlap, and none overtakes another.
 * A run reports the incidents of the runs that joined it as well, in their places.
 */
import type { LiveRun } from "../memory/run.ts";

const NONE: readonly LiveRun[] = [];

export class Reports {
  /** Incident → its reports that have not ended, in their order. */
  readonly #alive = new Map<string, LiveRun[]>();
  /** Reports that wait for an earlier report. */
  readonly #waiting = new Set<LiveRun>();
  #batched = 0;

  get waiting(): number {
    return this.#waiting.size;
  }

  /** The number of waiting reports that join a batch when their turn comes. */
  get batched(): number {
    return this.#batched;
  }

  of(incident: string): readonly LiveRun[] {
    return this.#alive.get(incident) ?? NONE;
  }

  add(run: LiveRun): void {
    for (const incident of incidentsOf(run)) {
      const alive = this.#alive.get(incident);
      if (alive === undefined) this.#alive.set(incident, [run]);
      else if (!alive.includes(run)) alive.push(run);
    }
  }

  /** True when an earlier report has not ended. Then the run waits here. */
  mustWait(run: LiveRun): boolean {
    if (run.incident === null || this.of(run.incident)[0] === run) return false;
    if (!this.#waiting.has(run) && run.batch !== null) this.#batched++;
    this.#waiting.add(run);
    return true;
  }

  /** Puts `first` in the places of `runs`, which joined it. */
  carry(first: LiveRun, runs: readonly LiveRun[]): void {
    const incidents = new Set(runs.flatMap(({ incident }) => incident ?? []));
    if (incidents.size === 0) return;
    first.carries = [...incidents];
    const gone = new Set<LiveRun>([first, ...runs]);
    for (const incident of incidents) {
      this.#alive.set(incident, [first, ...this.of(incident).filter((run) => !gone.has(run))]);
    }
  }

  /** Removes a run that has ended. Returns the runs whose turn comes. */
  remove(run: LiveRun): readonly LiveRun[] {
    if (run.incident === null && run.carries.length === 0) return NONE;
    return incidentsOf(run).flatMap((incident) => {
      const alive = this.#alive.get(incident);
      if (alive === undefined || !alive.includes(run)) return [];
      const left = alive.filter((one) => one !== run);
      if (left.length === 0) this.#alive.delete(incident);
      else this.#alive.set(incident, left);
      const [next] = left;
      return next !== undefined && this.forget(next) ? [next] : [];
    });
  }

  /** Forgets that the run waits here. False where it did not. */
  forget(run: LiveRun): boolean {
    if (!this.#waiting.delete(run)) return false;
    if (run.batch !== null) this.#batched--;
    return true;
  }

  /** From now on no run waits for others of its group. */
  dissolve(): void {
    for (const run of this.#waiting) run.batch = null;
    this.#batched = 0;
  }
}

const incidentsOf = ({ incident, carries }: LiveRun): readonly string[] =>
  carries.length === 0
    ? incident === null
      ? []
      : [incident]
    : [...new Set([...(incident === null ? [] : [incident]), ...carries])];

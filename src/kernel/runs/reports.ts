/**
 * Owns the runs of one workflow that report incidents. Reports of one incident never overlap, and none overtakes another.
 */
import type { LiveRun } from "../memory/run.ts";

const NONE: readonly LiveRun[] = [];

export class Reports {
  /** Incident → its reports that have not ended, in their order. */
  readonly #alive = new Map<string, LiveRun[]>();
  /** Reports that wait for an earlier report. */
  readonly #waiting = new Set<LiveRun>();

  get waiting(): number {
    return this.#waiting.size;
  }

  of(incident: string): readonly LiveRun[] {
    return this.#alive.get(incident) ?? NONE;
  }

  add(run: LiveRun): void {
    const { incident } = run;
    if (incident === null) return;
    const alive = this.#alive.get(incident);
    if (alive === undefined) this.#alive.set(incident, [run]);
    else if (!alive.includes(run)) alive.push(run);
  }

  /** True when an earlier report has not ended. Then the run waits here. */
  mustWait(run: LiveRun): boolean {
    if (run.incident === null || this.of(run.incident)[0] === run) return false;
    this.#waiting.add(run);
    return true;
  }

  /** Removes a run that has ended. Returns the run whose turn comes, or null. */
  remove(run: LiveRun): LiveRun | null {
    const { incident } = run;
    const alive = incident === null ? undefined : this.#alive.get(incident);
    if (incident === null || alive === undefined || !alive.includes(run)) return null;
    const left = alive.filter((one) => one !== run);
    if (left.length === 0) this.#alive.delete(incident);
    else this.#alive.set(incident, left);
    const [next] = left;
    return next !== undefined && this.#waiting.delete(next) ? next : null;
  }

  /** Forgets that the run waits here. */
  forget(run: LiveRun): void {
    this.#waiting.delete(run);
  }
}

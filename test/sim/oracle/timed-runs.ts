/** What must be of runs that the clock starts: a due time is noted with its run, or while the run before it waits (G14). */
import { violation } from "./report.ts";

interface Queued {
  readonly reflex: string;
  readonly due: number;
  readonly isStart: boolean;
}

export class TimedRunOracle {
  /** Of the transaction that is looked at. */
  #noted: { readonly reflex: string; readonly due: number }[] = [];
  #queued: Queued[] = [];
  #timed = new Set<string>();

  configured(
    reflexes: Iterable<{ readonly name: string; readonly kind: string; readonly on: readonly string[] }>,
  ): void {
    this.#timed = new Set(
      [...reflexes].flatMap(({ name, kind, on }) => (kind === "workflow" && on.length === 0 ? name : [])),
    );
  }

  noted(reflex: string, due: number): void {
    if (this.#timed.has(reflex)) this.#noted.push({ reflex, due });
  }

  queued(run: Queued): void {
    this.#queued.push(run);
  }

  /** `waits`: whether a run of a reflex that was queued before waits. */
  committed(waits: (reflex: string) => boolean): void {
    if (this.#noted.length === 0 && this.#queued.length === 0) return;
    const [noted, queued] = [this.#noted, this.#queued];
    this.#noted = [];
    this.#queued = [];
    for (const { reflex, due } of noted) {
      const hasRun = queued.some((run) => run.reflex === reflex && run.due === due && !run.isStart);
      if (!hasRun && !waits(reflex)) violation("timed-run", `the due time ${due} of ${reflex} is noted without a run`);
    }
    for (const { reflex, due, isStart } of queued) {
      const isNoted = noted.some((one) => one.reflex === reflex && one.due === due);
      if (!isStart && !isNoted) violation("timed-run", `${reflex} starts a run for ${due}, which is not noted`);
    }
  }
}

/**
 * Owns runs whose function has returned while functions of their steps are still under way. Those functions were told to
 * end. The slot of such a run is free when its code has settled and the commit of its end has said what follows.
 */
import type { LiveRun } from "../memory/run.ts";

export class Lingering {
  /** Run → what to do once its code has settled. Null until the commit of its end says so. */
  readonly #acts = new Map<LiveRun, (() => void) | null>();

  begin(run: LiveRun): void {
    this.#acts.set(run, null);
    run.to("lingering");
  }

  /** Calls `act` as soon as no code of `run` is under way: at once, if its code has settled. */
  onceLeft(run: LiveRun, act: () => void): void {
    if (this.#acts.has(run)) this.#acts.set(run, act);
    else act();
  }

  /** No code of `run` is under way any longer. Returns what to do now. */
  left(run: LiveRun): () => void {
    const act = this.#acts.get(run) ?? null;
    this.#acts.delete(run);
    return act ?? (() => {});
  }

  all(): LiveRun[] {
    return [...this.#acts.keys()];
  }
}

export const isLingering = (run: LiveRun): boolean => run.phase === "lingering";

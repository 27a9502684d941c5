/**
 * Owns the runs of a workflow that wait for a time, on the axis of elapsed time, and the runs whose history cannot be read.
 */
import type { LiveRun, ResumeReason } from "../memory/run.ts";
import type { Lifetime } from "../time/lifetime.ts";
import type { Handle, Ticker } from "../time/ticker.ts";

/** The history of a held run is tried this often. */
const TRY_AGAIN_MS = 60_000;

export class Sleepers {
  readonly #ticker: Ticker;
  readonly #lifetime: Lifetime;
  readonly #wake: (run: LiveRun, reason: ResumeReason) => void;
  readonly #handles = new Map<LiveRun, Handle>();
  /** Held runs → the reason why each goes on. */
  readonly #held = new Map<LiveRun, ResumeReason>();

  /** `wake` is called when the time of a run has come. */
  constructor(ticker: Ticker, lifetime: Lifetime, wake: (run: LiveRun, reason: ResumeReason) => void) {
    this.#ticker = ticker;
    this.#lifetime = lifetime;
    this.#wake = wake;
  }

  get size(): number {
    return this.#handles.size;
  }

  /** `run` goes on at `due`, on the axis of elapsed time. */
  sleep(run: LiveRun, due: number, reason: ResumeReason): void {
    run.to("sleeping");
    const wait = (): void => {
      const left = due - this.#lifetime.now();
      if (left > 0) this.#handles.set(run, this.#ticker.after(left, wait));
      else this.#woken(run, reason);
    };
    this.#handles.set(run, this.#ticker.after(Math.max(0, due - this.#lifetime.now()), wait));
  }

  /** `run` cannot go on. It is tried after a while. */
  hold(run: LiveRun, reason: ResumeReason): void {
    run.to("held");
    this.#held.set(run, reason);
    this.#handles.set(
      run,
      this.#ticker.after(TRY_AGAIN_MS, () => this.#woken(run, reason)),
    );
  }

  /** Tries the held runs now. */
  tryHeld(): void {
    for (const [run, reason] of [...this.#held]) {
      this.#handles.get(run)?.cancel();
      this.#woken(run, reason);
    }
  }

  /** Called when `run` has ended. */
  forget(run: LiveRun): void {
    this.#handles.get(run)?.cancel();
    this.#handles.delete(run);
    this.#held.delete(run);
  }

  #woken(run: LiveRun, reason: ResumeReason): void {
    this.#handles.delete(run);
    this.#held.delete(run);
    this.#wake(run, reason);
  }
}

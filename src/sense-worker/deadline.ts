/** Owns until when a compute may take, and how the author's code hears that the time is over. */
import { startTimer, type Timer } from "../base/timer.ts";

/** The abort signal is only made when a compute asks for it, the timer only when it waits: most do neither. */
export class Deadline {
  readonly #startedAt: number;
  readonly #limitMs: number;
  #controller: AbortController | null = null;
  #timer: Timer | null = null;
  #reason: "timed-out" | "aborted" | null = null;

  constructor(startedAt: number, limitMs: number) {
    this.#startedAt = startedAt;
    this.#limitMs = limitMs;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason) this.#controller.abort(this.#error(this.#reason));
    return this.#controller.signal;
  }

  #error(reason: "timed-out" | "aborted"): DOMException {
    return reason === "timed-out"
      ? new DOMException(`the compute passed its timeout of ${this.#limitMs} ms`, "TimeoutError")
      : new DOMException("nerve is stopping", "AbortError");
  }

  arm(): void {
    const left = this.#limitMs - (performance.now() - this.#startedAt);
    this.#timer = startTimer(left, () => this.end("timed-out"));
  }

  end(reason: "timed-out" | "aborted"): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#controller?.abort(this.#error(reason));
  }

  /** Called once the author's code has settled: why its result does not count, or null. */
  settle(): "timed-out" | "aborted" | null {
    this.#timer?.stop();
    if (this.#reason === null && performance.now() - this.#startedAt > this.#limitMs) this.#reason = "timed-out";
    return this.#reason;
  }
}

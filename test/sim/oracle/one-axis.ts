/**
 * The axis of elapsed time as reflexes live on it. A machine that comes up with its clock set back knows only the anchor that
 * was kept last: what was to come waits as much longer. Here time never falls back, and moments that wait are put off instead.
 */
import { type Between, type Later, later } from "./decisions.ts";

export class OneAxis {
  readonly #falls: { readonly at: number; readonly byMs: number }[] = [];
  #fellMs = 0;

  /** The place of `elapsed`, which the kernel reads now or has read since the axis last fell back. */
  of(elapsed: number): number {
    return elapsed + this.#fellMs;
  }

  /** The kernel was seen at `last`, and goes on at `now`. */
  goesOn(last: number, now: number): void {
    if (now >= last) return;
    const byMs = last - now + 1;
    this.#falls.push({ at: this.of(last), byMs });
    this.#fellMs += byMs;
  }

  /** `ms` after `time`, as the kernel counts. */
  readonly later: Later = (time, ms) => {
    let due = later(time, ms);
    for (const { at, byMs } of this.#falls) if (time <= at && due > at) due += byMs;
    return due;
  };

  /** How much later the kernel's clock shows at `to` than at `from`. */
  readonly between: Between = (from, to) => {
    let ms = to - from;
    for (const { at, byMs } of this.#falls) if (from <= at && to > at) ms -= byMs;
    return ms;
  };
}

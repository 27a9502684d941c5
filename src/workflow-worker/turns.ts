/**
 * The order in which the calls of a thread settle. Invariants kept here:
 * 1. One call settles at a time. The next one waits until everything that follows at once from the one before has begun.
 * 2. What the history answers settles at its recorded place, and waits for the places before its own. What is new comes
 *    behind the history, in the order in which it was committed. So a race has the winner that it had.
 * 3. A recorded place may never be asked for: the code was edited, or the call followed from a failure that is run again.
 *    Loose places are not waited for. A firm place is waited for once, {@link PATIENCE_MS} at the most.
 */
import type { Timer, Timers } from "../base/timer.ts";

/** The run may be at an await of its own that leads to the call. */
const PATIENCE_MS = 1_000;

/** Places in the order, `to` not included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export class Turns {
  readonly #timers: Timers;
  readonly #rested: () => void;
  readonly #loose: readonly Range[];
  readonly #past: number;
  /** By place. */
  readonly #waiting = new Map<number, () => void>();
  /** Of places that were passed over: they go at once. */
  readonly #late: (() => void)[] = [];
  /** The place whose turn it is. */
  #now = 0;
  /** The place of what settles next for the first time. */
  #free: number;
  #isDue = false;
  #patience: Timer | null = null;
  #isPatient = true;

  /** `past`: places of the history. `rested` is called when the last one that waited has had its turn. */
  constructor(past: number, loose: readonly Range[], timers: Timers, rested: () => void) {
    this.#timers = timers;
    this.#rested = rested;
    this.#loose = loose;
    this.#past = past;
    this.#free = past;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0 && this.#late.length === 0;
  }

  /** Resolves at the turn of what has this place in the history. */
  at(place: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (place < this.#now) this.#late.push(resolve);
    else this.#waiting.set(place, resolve);
    this.#look();
    return promise;
  }

  /** Resolves at the turn of what is committed now. */
  next(): Promise<void> {
    return this.at(this.#free++);
  }

  /** Nobody's turn comes. */
  end(): void {
    this.#waiting.clear();
    this.#late.length = 0;
    this.#patience?.stop();
  }

  #look(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.#take);
  }

  readonly #take = (): void => {
    this.#isDue = false;
    const go = this.#late.shift() ?? this.#first();
    if (go === null) return;
    this.#patience?.stop();
    this.#patience = null;
    go();
    if (this.isEmpty) this.#rested();
    else this.#look();
  };

  /** Null: nobody waits, or a place before the first one is waited for. */
  #first(): (() => void) | null {
    if (this.#waiting.size === 0) return null;
    while (!this.#waiting.has(this.#now)) {
      if (this.#isPatient && this.#isFirm(this.#now)) {
        this.#wait();
        return null;
      }
      this.#now++;
    }
    const go = this.#waiting.get(this.#now) ?? null;
    this.#waiting.delete(this.#now);
    this.#now++;
    return go;
  }

  #isFirm(place: number): boolean {
    return place < this.#past && !this.#loose.some(({ from, to }) => place >= from && place < to);
  }

  #wait(): void {
    this.#patience ??= this.#timers.start(PATIENCE_MS, () => {
      this.#patience = null;
      // The code is not what it was: no other place is waited for.
      this.#isPatient = false;
      this.#look();
    });
  }
}

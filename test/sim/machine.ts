/**
 * The machine of a simulated world: its clocks, and everything that is to happen, in the order of time. Nothing happens
 * beside it: one seed is one history.
 */
import { drainMicrotasks } from "bun:jsc";
import type { Clock } from "../../src/base/clock.ts";
import type { Below } from "../rules/random.ts";

/** Whose events these are: they do not happen once it is over. */
export interface Party {
  isOver: boolean;
  /** A kernel can be stopped for a while. */
  readonly isKernel: boolean;
}

export interface Happening {
  at: number;
  readonly order: number;
  readonly party: Party;
  readonly act: () => void;
  isCancelled: boolean;
}

interface Turn {
  readonly party: Party;
  readonly act: () => void;
  isCancelled: boolean;
}

const isBefore = (a: Happening, b: Happening): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

export class Machine {
  readonly chance: Below;
  /** Milliseconds that the machine has run: it stands still while the machine sleeps. */
  now = 0;
  /** How long the machine has slept. */
  sleptMs = 0;
  boots = 1;
  #bootedAt = -20_000;
  /** The wall clock showed `#wall` at `#wallSince`, and runs at this speed since. */
  #wall: number;
  #wallSince = 0;
  #wallSpeed = 1;
  #frozenUntil = 0;
  #orders = 0;
  readonly #heap: Happening[] = [];
  #turns: Turn[] = [];
  /** An error that nobody caught. */
  failed: (error: unknown) => void = (error) => {
    throw error;
  };

  constructor(chance: Below, wall: number) {
    this.chance = chance;
    this.#wall = wall;
  }

  /** Real time: what a clock on the wall that nobody touches would count. */
  get realMs(): number {
    return this.now + this.sleptMs;
  }

  get wallMs(): number {
    return Math.floor(this.#wall + (this.realMs - this.#wallSince) * this.#wallSpeed);
  }

  get bootId(): string {
    return `boot-${this.boots}`;
  }

  /** The clocks as a process sees them that starts now. */
  clock(): Clock {
    const startedAt = this.now;
    const { bootId } = this;
    return {
      bootId,
      wallMs: () => this.wallMs,
      monotonicMs: () => this.now - startedAt,
      bootMs: () => this.realMs - this.#bootedAt,
    };
  }

  // ── what is done to time ─────────────────────────────────────────────

  step(byMs: number): void {
    this.#anchor(this.wallMs + byMs);
  }

  slew(speed: number): void {
    this.#anchor(this.wallMs);
    this.#wallSpeed = speed;
  }

  #anchor(wall: number): void {
    this.#wall = wall;
    this.#wallSince = this.realMs;
  }

  suspend(ms: number): void {
    this.sleptMs += ms;
  }

  /** The kernel is stopped for a while: what comes for it waits. */
  freeze(ms: number): void {
    this.#frozenUntil = this.now + ms;
  }

  /** Another kernel is not stopped. */
  thaw(): void {
    this.#frozenUntil = 0;
  }

  get isFrozen(): boolean {
    return this.#frozenUntil > this.now;
  }

  reboot(downMs: number): void {
    this.now += downMs;
    this.#bootedAt = this.realMs - 5_000;
    this.boots++;
  }

  // ── what is to happen ────────────────────────────────────────────────

  after(delayMs: number, party: Party, act: () => void): Happening {
    return this.at(this.now + Math.max(0, Math.ceil(delayMs)), party, act);
  }

  at(at: number, party: Party, act: () => void): Happening {
    const happening: Happening = { at, order: ++this.#orders, party, act, isCancelled: false };
    this.#push(happening);
    return happening;
  }

  next(party: Party, act: () => void): () => void {
    const turn: Turn = { party, act, isCancelled: false };
    this.#turns.push(turn);
    return () => {
      turn.isCancelled = true;
    };
  }

  peek(): Happening | null {
    for (;;) {
      const [first] = this.#heap;
      if (first === undefined) return null;
      if (!first.isCancelled && !first.party.isOver) return first;
      this.#pop();
    }
  }

  /** Until `end`, or until `isOver`. */
  run(end: number, isOver: () => boolean): void {
    while (!isOver()) {
      const first = this.peek();
      if (first === null || first.at > end) {
        this.now = Math.max(this.now, end);
        return;
      }
      this.#pop();
      this.now = Math.max(this.now, first.at);
      if (first.party.isKernel && this.#frozenUntil > this.now) {
        first.at = this.#frozenUntil;
        this.#push(first);
        continue;
      }
      this.#act(first.act);
      // What arrives at one moment is sometimes one turn, and sometimes several.
      if (this.#turns.length > 0 && !(this.peek()?.at === this.now && this.chance(4) > 0)) this.takeTurns();
    }
  }

  takeTurns(): void {
    for (let turn = this.#turns.shift(); turn; turn = this.#turns.shift()) {
      if (!turn.isCancelled && !turn.party.isOver) this.#act(turn.act);
    }
  }

  #act(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.failed(error);
    }
    drainMicrotasks();
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(happening);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Happening;
      if (!isBefore(happening, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = happening;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Happening, heap[child] as Happening)) child++;
      if (!isBefore(heap[child] as Happening, last)) break;
      heap[index] = heap[child] as Happening;
      index = child;
    }
    heap[index] = last;
  }
}

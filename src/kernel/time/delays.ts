/** Owns what is to happen once, at moments of the boot clock. */
import { Heap } from "../../base/heap.ts";

export interface Handle {
  cancel(): void;
}

interface Delay {
  readonly dueBootMs: number;
  readonly fire: () => void;
  /** Fired or cancelled. */
  over: boolean;
}

/** So many cancelled delays may lie about until they would have been due. */
const FEW = 1_000;

const newHeap = (): Heap<Delay> => new Heap<Delay>((a, b) => a.dueBootMs < b.dueBootMs);

export class Delays {
  #heap = newHeap();
  /** Of them, those that were cancelled. */
  #cancelled = 0;

  /** When the first is due, cancelled or not. Infinity where there is none. */
  get dueBootMs(): number {
    return this.#heap.peek()?.dueBootMs ?? Number.POSITIVE_INFINITY;
  }

  add(dueBootMs: number, fire: () => void): Handle {
    const delay: Delay = { dueBootMs, fire, over: false };
    this.#heap.push(delay);
    return {
      cancel: () => {
        if (delay.over) return;
        delay.over = true;
        this.#cancelled++;
        if (this.#cancelled > FEW && 2 * this.#cancelled > this.#heap.size) this.#forgetCancelled();
      },
    };
  }

  /** Fires what is due at `bootMs`, what is added meanwhile as well. */
  fireDue(bootMs: number): void {
    for (let delay = this.#heap.peek(); delay && delay.dueBootMs <= bootMs; delay = this.#heap.peek()) {
      this.#heap.pop();
      if (delay.over) {
        this.#cancelled--;
        continue;
      }
      delay.over = true;
      delay.fire();
    }
  }

  /** What was to come in days, and is set anew again and again, would pile up. */
  #forgetCancelled(): void {
    const heap = this.#heap;
    this.#heap = newHeap();
    this.#cancelled = 0;
    for (let delay = heap.pop(); delay; delay = heap.pop()) if (!delay.over) this.#heap.push(delay);
  }
}

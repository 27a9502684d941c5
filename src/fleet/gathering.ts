/** Owns the frame in the making: it grows as signals are committed, and is sent again as it is until it is acknowledged. */
import { packFrame } from "./frame.ts";
import type { OwnSignals } from "./own-signals.ts";

/** A frame that is ready to leave. */
export interface Outgoing {
  readonly from: number;
  readonly to: number;
  readonly lost: number;
  readonly signals: number;
  readonly body: Uint8Array;
}

export class Gathering {
  readonly #own: OwnSignals;
  readonly #epoch: string;
  #from: number;
  #to: number;
  #lost = 0;
  #texts: string[] = [];
  #bytes = 0;
  #isFull = false;

  constructor(own: OwnSignals, epoch: string, from: number) {
    this.#own = own;
    this.#epoch = epoch;
    this.#from = from;
    this.#to = from;
  }

  /** It should leave without waiting for more. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** It says something: signals, or ids that were lost. */
  get hasNews(): boolean {
    return this.#texts.length > 0 || this.#lost > 0;
  }

  /** Looks at what was committed since. True: there is more to look at. */
  look(): boolean {
    if (this.#isFull) return false;
    const { texts, bytes, upto, lost, isFull } = this.#own.after(this.#to, this.#texts.length, this.#bytes);
    if (lost > 0 && this.#to > this.#from) {
      // Lost ids stand at the beginning of a frame: what comes before them leaves first.
      this.#isFull = true;
      return false;
    }
    const isFurther = upto > this.#to;
    this.#texts.push(...texts);
    this.#bytes = bytes;
    this.#lost += lost;
    this.#to = upto;
    this.#isFull = isFull;
    return isFurther && !isFull;
  }

  outgoing(): Outgoing {
    const { from, to, lost } = { from: this.#from, to: this.#to, lost: this.#lost };
    const body = packFrame({ epoch: this.#epoch, from, to, lost }, this.#texts);
    return { from, to, lost, signals: this.#texts.length, body };
  }

  /** The next frame begins behind `id`. */
  beginBehind(id: number): void {
    this.#from = id;
    this.#to = id;
    this.#lost = 0;
    this.#texts = [];
    this.#bytes = 0;
    this.#isFull = false;
  }
}

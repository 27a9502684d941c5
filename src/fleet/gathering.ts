/** Owns the frame in the making: it grows as signals are committed, and is sent again as it is until it is acknowledged. */
import { packFrame } from "./frame.ts";
import type { OwnSignals } from "./own-signals.ts";
import { type Proof, type Words, wordsOf } from "./proof.ts";

/** A frame that is ready to leave. */
export interface Outgoing {
  readonly from: number;
  readonly to: number;
  readonly lost: number;
  readonly signals: number;
  readonly proof: Proof | null;
  readonly body: Uint8Array;
}

export class Gathering {
  readonly #own: OwnSignals;
  #from: number;
  #to: number;
  #lost = 0;
  #texts: string[] = [];
  /** The last signal of the frame. */
  #lastId = 0;
  #bytes = 0;
  #isFull = false;
  /** The newest signal that this host has made up to the end of the frame. */
  #proof: Proof | null;

  constructor(own: OwnSignals, from: number, proof: Proof | null) {
    this.#own = own;
    this.#from = from;
    this.#to = from;
    this.#proof = proof;
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
    const { texts, lastId, bytes, upto, lost, proof, isFull } = this.#own.after(
      this.#to,
      this.#texts.length,
      this.#bytes,
    );
    if (lost > 0 && this.#to > this.#from) {
      // Lost ids stand at the beginning of a frame: what comes before them leaves first.
      this.#isFull = true;
      return false;
    }
    const isFurther = upto > this.#to;
    this.#texts.push(...texts);
    if (texts.length > 0) this.#lastId = lastId;
    this.#proof = proof ?? this.#proof;
    this.#bytes = bytes;
    this.#lost += lost;
    this.#to = upto;
    this.#isFull = isFull;
    return isFurther && !isFull;
  }

  outgoing(epoch: string, { start, others }: Pick<Words, "start" | "others">): Outgoing {
    const { from, to, lost } = { from: this.#from, to: this.#to, lost: this.#lost };
    const proof = this.#proof;
    const isLast = this.#texts.length > 0 && proof?.id === this.#lastId;
    const body = packFrame({ epoch, from, to, lost, ...wordsOf({ proof, isLast, start, others }) }, this.#texts);
    return { from, to, lost, signals: this.#texts.length, proof, body };
  }

  /** The next frame begins behind `id`. `proof`: the newest signal that this host has made up to there. */
  beginBehind(id: number, proof: Proof | null): void {
    this.#proof = proof;
    this.#from = id;
    this.#to = id;
    this.#lost = 0;
    this.#texts = [];
    this.#bytes = 0;
    this.#isFull = false;
  }
}

/**
 * Notes: which task is under way at each place of a worker, and since when, in memory that the worker and the kernel share.
 * The worker writes a note before user code is entered, without a message; the kernel reads it when it wants to know. On
 * the page two numbers belong to a place: the id of the task, less than 0 once the task is over, and the milliseconds of
 * the system's monotonic clock at its begin. A note stays until the next task begins at its place.
 */
import { type Libc, loadLibc, monotonicNs } from "../base/libc.ts";
import { openSharedPage } from "../base/shared-page.ts";

const NUMBERS = 2;

export const bytesOfNotes = (places: number): number => places * NUMBERS * Float64Array.BYTES_PER_ELEMENT;

/** The descriptor of the page in a worker. */
export const NOTES_DESCRIPTOR = 3;

/** What a worker says of a place. Nobody has checked it. */
export interface Note {
  readonly id: number;
  /** The task is over. Its result may not have left the worker. */
  readonly isOver: boolean;
  /** Milliseconds since the task began; less than 0 or more than there can be where the page holds nonsense. */
  readonly forMs: number;
}

/** What the kernel sees of the notes of one worker. */
export interface Notes {
  /** Null: nothing has begun there. */
  at(place: number): Note | null;
}

const numbersOf = (bytes: Uint8Array): Float64Array =>
  new Float64Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / Float64Array.BYTES_PER_ELEMENT));

const monotonicMs = (libc: Libc): number => Number(monotonicNs(libc)) / 1e6;

export class NotesReader implements Notes {
  readonly #numbers: Float64Array;
  readonly #nowMs: () => number;

  constructor(bytes: Uint8Array, nowMs: () => number) {
    this.#numbers = numbersOf(bytes);
    this.#nowMs = nowMs;
  }

  at(place: number): Note | null {
    const [id = 0, sinceMs = 0] = this.#numbers.subarray(place * NUMBERS, (place + 1) * NUMBERS);
    return id === 0 ? null : { id: Math.abs(id), isOver: id < 0, forMs: this.#nowMs() - sinceMs };
  }
}

/** Null without the C library. */
export function readNotes(bytes: Uint8Array): Notes | null {
  const libc = loadLibc();
  return libc === null ? null : new NotesReader(bytes, () => monotonicMs(libc));
}

/** The two clocks part slowly: the system's is slewed. */
const PARTED_AFTER_MS = 1_000;

export class NotesWriter {
  readonly #numbers: Float64Array;
  readonly #systemMs: () => number;
  #aheadMs = 0;
  #comparedAt = Number.NEGATIVE_INFINITY;

  /** `systemMs`: the system's monotonic clock. */
  constructor(bytes: Uint8Array, systemMs: () => number) {
    this.#numbers = numbersOf(bytes);
    this.#systemMs = systemMs;
  }

  /** The task `id` begins at `place`, at `now` of `performance.now()`. */
  enter(place: number, id: number, now: number): void {
    if (now - this.#comparedAt > PARTED_AFTER_MS) {
      this.#aheadMs = this.#systemMs() - performance.now();
      this.#comparedAt = now;
    }
    // The id last: a reader that comes in between sees no task.
    this.#numbers[place * NUMBERS + 1] = now + this.#aheadMs;
    this.#numbers[place * NUMBERS] = id;
  }

  /** The task `id` at `place` is over. */
  leave(place: number, id: number): void {
    this.#numbers[place * NUMBERS] = -id;
  }
}

/** Of this worker. Null where the kernel gave it no page: then it has to say in messages what begins. */
export function openNotes(): NotesWriter | null {
  const bytes = openSharedPage(NOTES_DESCRIPTOR);
  const libc = bytes === null ? null : loadLibc();
  return bytes === null || libc === null ? null : new NotesWriter(bytes, () => monotonicMs(libc));
}

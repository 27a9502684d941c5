/**
 * What the kernel holds of the inbox of one sense: how much there is, and how the sense is tried again. The items themselves lie
 * in logs.db. All but what is reserved changes after the commit only.
 */
import type { Offered } from "../../inbox/offered.ts";
import type { Item } from "../../model/item.ts";
import type { ItemTotal } from "../../store/inbox.ts";
import type { InboxSense } from "../../store/inbox-senses.ts";
import type { Handle } from "../time/ticker.ts";

/** The same request is known for so long. */
export const KNOWN_MS = 24 * 3_600_000;
const SMALL_BYTES = 1_024;
/** So many requests of a sense are known: the newest. */
export const MAX_KNOWN = 100_000;

/** A request with an identity that waits for its commit. */
export interface Arriving {
  readonly digest: string;
  readonly offered: Promise<Offered>;
}

export class Box {
  readonly sense: string;
  waiting = 0;
  dead = 0;
  /** When the newest item came, of those that this kernel accepted: Unix milliseconds. */
  newestAt: number | null = null;
  /** Of all bodies. */
  bytes = 0;
  /** Rows of requests that were accepted with an identity. */
  known = 0;
  /** Of requests that wait for their commit. */
  #reservedItems = 0;
  #reservedBytes = 0;
  readonly arriving = new Map<string, Arriving>();
  /** So many computes get one item each. */
  alone = 0;
  taken: InboxSense["taken"] = null;
  /** Wakes the sense again after a failure. No compute gets an item before that. */
  retry: Handle | null = null;
  /** Only such wait, and there is no other that could show whether they are bad. */
  waitsForNext = false;
  /** How many failed alone again and again. */
  aside = 0;
  /** An item has passed: those that were put aside are tried once more. */
  hasLastChance = false;
  /** More waited than the newest compute got. */
  isBehind = false;
  /** Items of a compute in which the worker of the sense died alone. Whether they were taken, the next worker knows. */
  lost: readonly Item[] = [];

  constructor(sense: string) {
    this.sense = sense;
  }

  /** What another kernel left. */
  restore({ alone, taken }: InboxSense): void {
    this.alone = alone;
    this.taken = taken;
  }

  count({ state, items, bytes }: ItemTotal): void {
    if (state === "dead") this.dead += items;
    else this.waiting += items;
    this.bytes += bytes;
  }

  /** Nothing waits: nothing is to be tried again. */
  calm(): void {
    this.retry?.cancel();
    this.retry = null;
    this.waitsForNext = false;
    this.hasLastChance = false;
  }

  hasRoom(items: number, bytes: number, most: { readonly items: number; readonly bytes: number }): boolean {
    const held = this.waiting + this.dead + this.#reservedItems;
    return held + items <= most.items && this.bytes + this.#reservedBytes + bytes <= most.bytes;
  }

  /** A small item finds no room. */
  isFull(most: { readonly items: number; readonly bytes: number }): boolean {
    return !this.hasRoom(1, SMALL_BYTES, most);
  }

  reserve(items: number, bytes: number): void {
    this.#reservedItems += items;
    this.#reservedBytes += bytes;
  }

  /** What was reserved is there, or does not come. */
  release(items: number, bytes: number): void {
    this.reserve(-items, -bytes);
  }
}

/** What was handed in from outside, while it waits for a compute of its sense. */

export const ITEM_STATES = ["waiting", "dead"] as const;

/** `dead`: computes that had this item alone failed, and the one after it did not. */
export type ItemState = (typeof ITEM_STATES)[number];

/** A row of the table `inbox`. */
export interface Item {
  readonly id: number;
  readonly sense: string;
  /** What its sense knows it by, together with `id`. */
  readonly origin: string;
  /** Unix milliseconds at which it was accepted. */
  readonly at: number;
  readonly key: string | null;
  readonly type: string | null;
  /** JSON text. */
  readonly body: string;
  readonly trace: string;
  readonly state: ItemState;
  /** Computes that had this item alone, and failed. */
  readonly failures: number;
}

/** A compute gets at most so many items, and so many bytes of their bodies. */
export const MAX_ITEMS = 500;
export const MAX_ITEMS_BYTES = 1024 * 1024;

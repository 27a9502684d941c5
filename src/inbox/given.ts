/** Owns what somebody gives to an inbox with one request, before anybody has decided whether there is room for it. Pure. */

/** A request holds at most this many bytes, and this many items. */
export const MAX_REQUEST_BYTES = 1024 * 1024;
export const MAX_REQUEST_ITEMS = 1_000;
/** Of a key, as UTF-8. */
export const MAX_KEY_BYTES = 255;

export interface Given {
  /** JSON texts, in order. Each is one item. */
  readonly bodies: readonly string[];
  /** What the sender calls the item, or null. All items of a request have the same. */
  readonly key: string | null;
  /** What makes a second request the same as the first, or null: nothing does. */
  readonly identity: string | null;
  /** What kind of event the item is: of a CloudEvent, or of a ping. Null: the sender says nothing of that. */
  readonly type: string | null;
  /** The trace in which the sender sent it, or null. */
  readonly trace: string | null;
}

/** Why a request is no items, as HTTP says it. */
export interface NotGiven {
  readonly status: 400 | 413 | 415;
  readonly kind: string;
  readonly message: string;
  readonly hint: string | null;
}

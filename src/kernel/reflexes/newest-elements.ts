/**
 * Owns the elements of the newest signal of each sense, for `each`. A key that is gone is decided on with its last element.
 */
import type { Json } from "../../base/json.ts";
import { type Elements, elementsIn } from "../../rules/each.ts";
import type { Matcher } from "../../rules/matcher.ts";
import type { Draft } from "../commits/draft.ts";
import type { StoredPayload } from "./stored-payloads.ts";

/** The signal under decision. */
export interface DecidedSignal {
  readonly id: number;
  readonly sense: string;
  readonly elapsed: number;
}

export class NewestElements {
  readonly #matcher: Matcher;
  readonly #signalsBefore: (sense: string, id: number) => Iterable<StoredPayload>;
  /** Sense → elements. Elements of a transaction that is not committed yet are kept by its draft. */
  readonly #elements = new Map<string, Elements>();
  readonly #drafted = new WeakMap<Draft, Map<string, Elements>>();

  #asked: { readonly sense: string; readonly payload: Json; readonly elements: Elements | null } | null = null;

  constructor(matcher: Matcher, signalsBefore: (sense: string, id: number) => Iterable<StoredPayload>) {
    this.#matcher = matcher;
    this.#signalsBefore = signalsBefore;
  }

  keep(draft: Draft, sense: string, elements: Elements): void {
    const drafted = this.#drafted.get(draft) ?? new Map<string, Elements>();
    this.#drafted.set(draft, drafted.set(sense, elements));
    draft.afterwards(() => this.#elements.set(sense, elements));
  }

  /** The last element of `key` before this signal of the sense. */
  lastOf(draft: Draft, { sense, id }: DecidedSignal, key: string): Json {
    const before = this.#drafted.get(draft)?.get(sense) ?? this.#elements.get(sense) ?? null;
    return before?.byKey.get(key)?.payload ?? this.#stored(sense, id, key);
  }

  /** After a start the newest signal is in the store only. */
  #stored(sense: string, id: number, key: string): Json {
    for (const { payload } of this.#signalsBefore(sense, id)) {
      const elements = elementsIn(this.#matcher, sense, payload);
      if (elements !== null) return elements.byKey.get(key)?.payload ?? null;
    }
    return null;
  }

  /** The elements of one payload. It is kept, because many keys ask about the same payload. */
  of(sense: string, payload: Json): Elements | null {
    const known = this.#asked;
    if (known !== null && known.payload === payload && known.sense === sense) return known.elements;
    const elements = elementsIn(this.#matcher, sense, payload);
    this.#asked = { sense, payload, elements };
    return elements;
  }

  clear(): void {
    this.#asked = null;
    this.#elements.clear();
  }
}

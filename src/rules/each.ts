/**
 * Owns `each`: a reflex looks at every element of an array in the payload as if the element were the payload. A key of an
 * earlier signal of the sense that the present signal does not have is gone. A gone key counts as not matching.
 */
import type { Json } from "../base/json.ts";
import type { ReflexConfig } from "../model/config.ts";
import { fieldOf } from "./field.ts";
import { isKeyOfSense } from "./key.ts";
import type { KeyState } from "./key-state.ts";
import type { Match, Matcher } from "./matcher.ts";

/** At most this many elements of one signal are looked at. */
export const MAX_ELEMENTS = 1_000;

export interface Element {
  readonly match: Match;
  readonly payload: Json;
}

/** The elements of one signal at the path of `each`. */
export interface Elements {
  /** The elements in their order. Where two elements have the same key, the first counts. */
  readonly byKey: ReadonlyMap<string, Element>;
  /** The number of all elements, with those beyond the limit. */
  readonly total: number;
  /** Keys of the elements beyond the limit. Nobody looks at those elements, but they are not gone. */
  readonly beyond: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();

function arrayAt(path: readonly string[], payload: Json): readonly Json[] | null {
  let value: Json | undefined = payload;
  for (const name of path) value = fieldOf(value, name);
  return Array.isArray(value) ? value : null;
}

/** Null where the path holds no array. The reflex passes such a signal over. */
export function elementsIn(matcher: Matcher, sense: string, payload: Json): Elements | null {
  const array = matcher.each === null ? null : arrayAt(matcher.each, payload);
  if (array === null) return null;
  const byKey = new Map<string, Element>();
  for (const element of array.slice(0, MAX_ELEMENTS)) {
    const match = matcher.match(sense, element);
    if (!byKey.has(match.key)) byKey.set(match.key, { match, payload: element });
  }
  const beyond =
    array.length <= MAX_ELEMENTS
      ? NONE
      : new Set(array.slice(MAX_ELEMENTS).map((element) => matcher.match(sense, element).key));
  return { byKey, total: array.length, beyond };
}

/** The element of `payload` that counts for `key`. Null where there is none. */
export function elementOf(matcher: Matcher, sense: string, payload: Json, key: string): Json {
  return elementsIn(matcher, sense, payload)?.byKey.get(key)?.payload ?? null;
}

/** The match of a gone element. It also ends a match that lasts until `clear`. */
export const goneMatch = (key: string): Match => ({ key, isMissing: false, matches: false, clears: true });

interface Remembered {
  readonly key: string;
  readonly state: KeyState;
}

/**
 * The items of `remembered` that a signal of `sense` with `elements` ends. A key that does not match has nothing to end.
 */
export function goneFrom<T extends Remembered>(
  remembered: Iterable<T>,
  { key: word, host }: Pick<ReflexConfig, "key" | "host">,
  sense: string,
  elements: Elements,
): T[] {
  const gone: T[] = [];
  for (const one of remembered) {
    const { key, state } = one;
    if (!state.isMatching || elements.byKey.has(key) || elements.beyond.has(key)) continue;
    if (isKeyOfSense(word, key, sense, host)) gone.push(one);
  }
  return gone;
}

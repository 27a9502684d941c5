/** Owns how a link to another machine that does not work is tried again, and the words for that. */
import { ago, until } from "../base/times.ts";

export interface Tries {
  /** Unix milliseconds of the newest try, which failed; null where the link works or was not tried yet. */
  readonly last_try: number | null;
  /** Unix milliseconds of the next try; null where none is waited for. */
  readonly next_try: number | null;
}

export const NO_TRIES: Tries = { last_try: null, next_try: null };

/** `last try 12s ago, next try in 41s`, or null. */
export function triesWords({ last_try: last, next_try: next }: Tries, now: number): string | null {
  const words = [
    ...(last === null ? [] : [`last try ${ago(Math.min(last, now), now)}`]),
    ...(next === null ? [] : [`next try ${until(next, now)}`]),
  ];
  return words.length === 0 ? null : words.join(", ");
}

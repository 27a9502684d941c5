/**
 * Owns the names of the subject of a question: `42`, `#42`, `run:42`, `signal:42`, `incident:42`, or a trace by its first hex
 * digits.
 */
export type Named =
  | { readonly kind: "run" | "signal" | "incident"; readonly id: number }
  /** A bare number means the run with this id. Without such a run it means the signal. */
  | { readonly kind: "number"; readonly id: number }
  | { readonly kind: "trace"; readonly prefix: string };

/** A number with at most 15 digits is exact. */
const NUMBER = /^(?:(run|signal|incident):)?#?([1-9]\d{0,14})$/;
const TRACE = /^[0-9a-f]{8,32}$/;

/**
 * A decimal without a leading 0 is a number, because a trace begins with the 0 of its time until the year 2527. Null for
 * any other word.
 */
export function parseNamed(word: string): Named | null {
  const [, kind, digits] = NUMBER.exec(word) ?? [];
  if (digits !== undefined)
    return { kind: (kind ?? "number") as "run" | "signal" | "incident" | "number", id: Number(digits) };
  const prefix = word.toLowerCase();
  return TRACE.test(prefix) ? { kind: "trace", prefix } : null;
}

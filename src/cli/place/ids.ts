/**
 * Owns the names of a command's subject: `42`, `#42`, `run:42`, `signal:42`, `incident:42`, or a trace by its first hex
 * digits.
 */
import { ok, type Result } from "../../base/result.ts";
import { type Failure, usageError } from "../frame/outcome.ts";

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

export function parseRunId(word: string): Result<number, Failure> {
  const named = parseNamed(word);
  return named?.kind === "run" || named?.kind === "number"
    ? ok(named.id)
    : usageError(`\`${word}\` is not the id of a run`, "`nerve runs` shows them");
}

export function parseIncidentId(word: string): Result<number, Failure> {
  const named = parseNamed(word);
  return named?.kind === "incident" || named?.kind === "number"
    ? ok(named.id)
    : usageError(`\`${word}\` is not the id of an incident`, "`nerve incidents` shows them");
}

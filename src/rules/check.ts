/**
 * Owns the shape of a check of a payload, and the small checks that larger checks consist of. Payloads come from anywhere,
 * so some semantics are nerve's own: strings over 4 KiB match nothing.
 */
import { exceedsBytes, type Json } from "../base/json.ts";

/** Why a payload does not match: the field, its value, and the expected type in ArkType's notation. */
export interface Mismatch {
  readonly path: string;
  /** Null also where the field does not exist. */
  readonly value: Json;
  readonly isMissing: boolean;
  readonly expected: string;
}

export interface Check {
  readonly matches: (value: Json) => boolean;
  /** Adds every reason, and nothing when the value matches. */
  readonly explain: (value: Json, path: string, mismatches: Mismatch[]) => void;
}

const MAX_STRING_BYTES = 4_096;

export const isShort = (text: string): boolean => !exceedsBytes(text, MAX_STRING_BYTES);

export const simple = (expected: string, matches: (value: Json) => boolean): Check => ({
  matches,
  explain: (value, path, mismatches) => {
    if (matches(value)) return;
    const isTooLong = typeof value === "string" && !isShort(value);
    mismatches.push({ path, value, isMissing: false, expected: isTooLong ? "a string of at most 4 KiB" : expected });
  },
});

export const missing = (path: string, expected: string): Mismatch => ({ path, value: null, isMissing: true, expected });

export const ANYTHING: Check = simple(
  "a string of at most 4 KiB",
  (value) => typeof value !== "string" || isShort(value),
);
export const ARRAY: Check = simple("an array", Array.isArray);

export function every(checks: readonly Check[]): Check {
  const [first, second, third] = checks.map((check) => check.matches);
  const matches = (): Check["matches"] => {
    if (!first) return ANYTHING.matches;
    if (!second) return first;
    if (!third) return (value) => first(value) && second(value);
    return (value) => {
      for (const check of checks) if (!check.matches(value)) return false;
      return true;
    };
  };
  return {
    matches: matches(),
    explain: (value, path, mismatches) => {
      // The first check that fails: a later check may only make sense where the earlier checks hold.
      const failed = checks.find((check) => !check.matches(value));
      failed?.explain(value, path, mismatches);
    },
  };
}

export const DOMAINS: Readonly<Record<string, (value: Json) => boolean>> = {
  string: (value) => typeof value === "string" && isShort(value),
  number: (value) => typeof value === "number",
  object: (value) => typeof value === "object" && value !== null,
};

/** Checks of constraints. A constraint applies to values of its own kind only. */
export const CONSTRAINTS: Readonly<Record<string, (limit: number, isExclusive: boolean) => (value: Json) => boolean>> =
  {
    min: (limit, isExclusive) => (value) => (isExclusive ? (value as number) > limit : (value as number) >= limit),
    max: (limit, isExclusive) => (value) => (isExclusive ? (value as number) < limit : (value as number) <= limit),
    divisor: (divisor) => (value) => (value as number) % divisor === 0,
    minLength: (limit) => (value) => (value as string | Json[]).length >= limit,
    maxLength: (limit) => (value) => (value as string | Json[]).length <= limit,
    exactLength: (limit) => (value) => (value as string | Json[]).length === limit,
  };

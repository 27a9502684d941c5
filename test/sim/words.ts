/** What every part of a simulated world speaks of: times, sizes, kinds of faults, payloads and the patterns on them. */
import type { Json } from "../../src/base/json.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** What a person or a failing shrinker leaves of a seed. */
export interface Size {
  readonly senses: number;
  readonly reflexes: number;
  readonly lengthMs: number;
  /** Kinds of faults that do not happen. */
  readonly without: readonly FaultKind[];
  /** Every sense computes each second. */
  readonly isDense: boolean;
}

export const FAULTS = ["crash", "reload", "clock", "disk", "people", "workers", "pauses"] as const;
export type FaultKind = (typeof FAULTS)[number];

export const sizeOf = (some: Partial<Size>): Size => ({
  senses: 20,
  reflexes: 26,
  lengthMs: DAY,
  without: [],
  isDense: false,
  ...some,
});

/** So many senses are computed for what reflexes decide. */
export const LISTENERS = 2;
export const WORKFLOWS = ["quick", "steps", "long", "drops", "tells"] as const;
/** A compute that has such an item fails. */
export const BAD_ITEM = '"bad":true';
/** Where people are told. */
export const CHANNELS = ["chat", "post"] as const;

/** The patterns that are used, and what each means, said by hand. */
export const PATTERNS: readonly { readonly definition: Json; readonly isMet: (payload: Fields) => boolean }[] = [
  { definition: { status: "'bad'" }, isMet: ({ status }) => status === "bad" },
  { definition: { level: "number >= 7" }, isMet: ({ level }) => level >= 7 },
  { definition: { level: "number < 3" }, isMet: ({ level }) => level < 3 },
  { definition: { status: "'ok'" }, isMet: ({ status }) => status === "ok" },
  { definition: { level: "number >= 5" }, isMet: ({ level }) => level >= 5 },
];

export interface Fields {
  readonly n: number;
  readonly level: number;
  readonly status: string;
  readonly host: string;
  readonly id: string;
  readonly items: readonly Fields[] | null;
}

export const WHEN = [0, 1, 4] as const;
export const CLEAR = [2, 3] as const;

export const patternAt = (index: number): Json => (PATTERNS[index] as { definition: Json }).definition;

/** Owns a reflex's memory of one key, and the form in which it is stored. */
import type { Json } from "../base/json.ts";
import { type IncidentMemory, readIncidentMemory } from "./incident-state.ts";

/**
 * The whole memory of one key. The shape is a type, because an interface is no `Json`. All times are `elapsed`, all signals
 * are ids. `element` is the last element of a key that is gone, and null of a key that the signal itself has.
 */
export type KeyState = {
  readonly isMatching: boolean;
  /** `for` runs out at `due`, unless matching ends before (with `falling`: begins again before). */
  readonly holding: { readonly due: number; readonly signal: number; readonly element: Json } | null;
  /**
   * Times at which signals passed `edge` that `count` still counts, oldest first. Fewer than `n`. Never changed in place.
   */
  readonly counted: number[];
  /** Signals that `debounce` holds back. It runs out at `due`, for the latest of them. */
  readonly burst: {
    readonly first: number;
    readonly due: number;
    readonly signal: number;
    readonly element: Json;
  } | null;
  readonly throttledUntil: number | null;
  /** Null in a reflex without `incident`, and where nothing of an incident is remembered. */
  readonly incident: IncidentMemory | null;
};

/** The state of an unknown key, and of a key that can be forgotten. */
export const REST: KeyState = {
  isMatching: false,
  holding: null,
  counted: [],
  burst: null,
  throttledUntil: null,
  incident: null,
};

const isTime = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isPending = (value: unknown, times: readonly string[]): boolean =>
  value === null ||
  (typeof value === "object" && times.every((name) => isTime((value as Record<string, unknown>)[name])));

/** The stored memory of a key. Null when the value cannot be one. */
export function readKeyState(value: unknown): KeyState | null {
  if (typeof value !== "object" || value === null) return null;
  const { isMatching, holding, counted, burst, throttledUntil } = value as Record<string, unknown>;
  const isWhole =
    typeof isMatching === "boolean" &&
    isPending(holding, ["due", "signal"]) &&
    isPending(burst, ["first", "due", "signal"]) &&
    Array.isArray(counted) &&
    counted.every(isTime) &&
    (throttledUntil === null || isTime(throttledUntil));
  if (!isWhole) return null;
  const incident = readIncidentMemory((value as { incident?: unknown }).incident);
  if (incident === undefined) return null;
  const state = value as KeyState;
  return { ...state, holding: withElement(state.holding), burst: withElement(state.burst), incident };
}

/**
 * The state of a key under new deciding words, with keys of `scope`. An open incident and a resolution by hand stay where
 * the scope is the same: the next look at the key decides. A held-back resolution stays under any words. Null: nothing stays.
 */
export function underOtherWords({ isMatching, incident }: KeyState, scope: string): KeyState | null {
  if (incident === null) return null;
  const open = incident.open?.scope === scope ? incident.open : null;
  const spent = incident.spent === scope ? incident.spent : null;
  const { owed } = incident;
  if (open === null && spent === null && owed.length === 0) return null;
  return { ...REST, isMatching: isMatching && (open ?? spent) !== null, incident: { open, spent, owed } };
}

/** The stored form. A reflex without incidents stores no field for them. */
export function storedKeyState(state: KeyState): Json {
  if (state.incident !== null) return state;
  const { isMatching, holding, counted, burst, throttledUntil } = state;
  return { isMatching, holding, counted, burst, throttledUntil };
}

/** Builds before `each` stored no element. */
const withElement = <T extends { readonly element: Json }>(pending: T | null): T | null =>
  pending === null ? null : { ...pending, element: pending.element ?? null };

/** A deadline that is found later than this passed while nerve was down, and acts when it is found. */
export const LATE_MS = 1_000;

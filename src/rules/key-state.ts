/** What a reflex remembers of one key, and how that is stored. */
import type { Json } from "../base/json.ts";
import { type IncidentMemory, readIncidentMemory } from "./incident-state.ts";

/**
 * Everything one key remembers. A type, not an interface: only so is it `Json`. All times are `elapsed`, all signals ids.
 * `element`: what was last seen of a key that is gone, and null of a key that the signal itself has.
 */
export type KeyState = {
  readonly isMatching: boolean;
  /** `for` runs out at `due`, unless matching ends (`falling`: begins again) before. */
  readonly holding: { readonly due: number; readonly signal: number; readonly element: Json } | null;
  /** When signals passed `edge` that `count` still counts, oldest first; fewer than `n`. Never changed in place. */
  readonly counted: number[];
  /** Signals `debounce` holds back: it runs out at `due`, for the latest of them. */
  readonly burst: {
    readonly first: number;
    readonly due: number;
    readonly signal: number;
    readonly element: Json;
  } | null;
  readonly throttledUntil: number | null;
  /** Null in a reflex without `incident`, and where there is nothing to remember of one. */
  readonly incident: IncidentMemory | null;
};

/** The state of a key that was never heard of, and of one that can be forgotten. */
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

/** What was stored of a key; null when it cannot be what a key remembers. */
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

/** As it is stored: a reflex without incidents pays nothing for those that have some. */
export function storedKeyState(state: KeyState): Json {
  if (state.incident !== null) return state;
  const { isMatching, holding, counted, burst, throttledUntil } = state;
  return { isMatching, holding, counted, burst, throttledUntil };
}

/** Builds that knew no elements stored none. */
const withElement = <T extends { readonly element: Json }>(pending: T | null): T | null =>
  pending === null ? null : { ...pending, element: pending.element ?? null };

/** A deadline that is found later than this passed while nerve was down, and acts when it is found. */
export const LATE_MS = 1_000;

/** The one sentence of *Now*: well or not, for how long, and why. Pure. */
import { spoken } from "../words/numbers.ts";
import { cut } from "../words/payload.ts";
import type { Attention } from "./attention.ts";

export interface Health {
  readonly tone: "ok" | "warn" | "crit";
  readonly sentence: string;
}

/** Two causes at most are named. */
const NAMED = 2;
/** A longer summary stands whole in the list below. */
const CLAUSE_LENGTH = 60;

function causes(items: readonly Attention[], all: number): string {
  const worst = items.filter(({ tone }) => tone === items[0]?.tone);
  const alone = all === 1 && items[0]?.limit !== "" ? `, ${items[0]?.limit}` : "";
  const named = worst.slice(0, NAMED).map(({ clause }) => cut(clause, CLAUSE_LENGTH) + alone);
  const more = all - named.length;
  if (named.length === 2 && more === 0) return named.join(", and ");
  return `${named.join(", ")}${more > 0 ? `, and ${more} more` : ""}`;
}

/** `all`: how many troubles there are, with those that are not in `items`. `okSince`: since when nothing is wrong, as far as that is known. */
export function healthOf(items: readonly Attention[], all: number, okSince: number | null, now: number): Health {
  const [worst] = items;
  const lasting = (since: number | null): string => (since === null ? "" : ` for ${spoken(now - since)}`);
  if (worst === undefined) return { tone: "ok", sentence: `Ok${lasting(okSince)}.` };
  const known = items
    .filter(({ tone, since }) => tone === worst.tone && since !== null)
    .map(({ since }) => since ?? now);
  const since = known.length === 0 ? null : Math.min(...known);
  const state = worst.tone === "crit" ? "Critical" : "Warning";
  return { tone: worst.tone, sentence: `${state}${lasting(since)}: ${causes(items, all)}.` };
}

/**
 * When an incident of one key must open, match again and end, said slowly: the whole story of the key is there, from its
 * first signal on. Shares nothing with `src/rules/incident-rule.ts`.
 */
import type { ActsAt, Happening } from "./decisions.ts";

export type Chapter =
  | Happening
  /** Somebody resolves it, for this reason. */
  | { readonly kind: "resolve"; readonly reason: string; readonly elapsed: number };

export interface Words {
  readonly hasClear: boolean;
  readonly forMs: number | null;
  readonly resolveAfterMs: number;
}

export interface Story {
  readonly must: readonly string[];
  /** What may have followed already. */
  readonly may: readonly string[];
}

interface State {
  isMatching: boolean;
  /** Since when it matches, and its newest signal, while it waits for `for`. */
  waits: { readonly since: number; signal: number } | null;
  isOpen: boolean;
  off: number | null;
  /** It was resolved by hand while it matched. */
  isSpent: boolean;
}

export function storyOf(words: Words, chapters: readonly Chapter[], actsAt: ActsAt, end: number): Story {
  const must: string[] = [];
  const state: State = { isMatching: false, waits: null, isOpen: false, off: null, isSpent: false };
  for (const chapter of chapters) {
    for (const due of duesOf(words, state)) if (due.at <= chapter.elapsed) must.push(acts(state));
    if (chapter.kind === "resolve") must.push(...resolves(state, chapter.reason));
    else must.push(...hears(words, state, chapter));
  }
  const may: string[] = [];
  for (const { at } of duesOf(words, state)) {
    const acting = actsAt(at);
    // What is due at this very moment may come before the end, or after.
    if (acting !== null && acting <= end) (acting >= end - 2 ? may : must).push(acts(state));
  }
  return { must, may };
}

/** At most one thing is ever due. */
function duesOf({ forMs, resolveAfterMs }: Words, { waits, isOpen, off }: State): readonly { readonly at: number }[] {
  if (isOpen) return off === null ? [] : [{ at: off + resolveAfterMs }];
  return waits === null ? [] : [{ at: waits.since + (forMs ?? 0) }];
}

function acts(state: State): string {
  const { waits } = state;
  if (state.isOpen) {
    state.isOpen = false;
    state.off = null;
    return "resolved null";
  }
  state.waits = null;
  state.isOpen = true;
  return `opened ${waits?.signal}`;
}

function resolves(state: State, reason: string): string[] {
  if (!state.isOpen) return [];
  state.isOpen = false;
  state.off = null;
  state.isSpent = state.isMatching;
  return [`resolved ${reason}`];
}

function hears({ hasClear, forMs, resolveAfterMs }: Words, state: State, signal: Happening): string[] {
  const { id, elapsed, matches, clears } = signal;
  state.isMatching = hasClear ? !clears && (matches || state.isMatching) : matches;
  if (!state.isMatching) {
    state.isSpent = false;
    state.waits = null;
    if (!state.isOpen) return [];
    state.off ??= elapsed;
    return elapsed - state.off >= resolveAfterMs ? [acts(state)] : [];
  }
  if (state.isOpen) {
    if (state.off === null) return [];
    state.off = null;
    return [`again ${id}`];
  }
  if (state.isSpent) return [];
  state.waits = { since: state.waits?.since ?? elapsed, signal: id };
  return forMs === null ? [acts(state)] : [];
}

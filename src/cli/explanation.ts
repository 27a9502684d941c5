/**
 * What a reflex made of single signals, found by replaying it: how far each came through its words, what followed from it
 * later, and what the reader has to know of before (since when it matches, what throttles it).
 */
import type { Json } from "../base/json.ts";
import type { ReflexConfig } from "../model/config.ts";
import type { Signal } from "../model/signal.ts";
import type { Mismatch } from "../rules/check.ts";
import { hasWords, type Lookout, lookoutOf } from "../rules/look.ts";
import { type Down, type Looked, Replay, type Replayed } from "../rules/replay.ts";
import type { StoreReader } from "../store/open.ts";
import type { Incident } from "./recorded.ts";
import { replaySignals } from "./replaying.ts";

/** Which signals are asked about. */
export type Question =
  | { readonly kind: "latest"; readonly limit: number }
  | { readonly kind: "signal"; readonly id: number }
  /** The last one up to then. */
  | { readonly kind: "at"; readonly at: number };

export interface Seen {
  readonly signal: Looked["signal"];
  /** Null without words. */
  readonly looked: Looked | null;
  /** Was disabled, and looked at nothing. */
  readonly isDisabled: boolean;
  /** What it decided at the signal itself. */
  readonly decided: Replayed | null;
  /** What came of it later: a deadline that led to a decision, or a signal that broke `for` off. */
  readonly later: Replayed | { readonly kind: "broken-off"; readonly signal: number; readonly at: number } | null;
  /** Of its key: the signal since which it has matched, when it did before. */
  readonly matchingSince: { readonly signal: number; readonly at: number } | null;
  /** Of its key: the newest firing before. */
  readonly firedBefore: Replayed | null;
  /** Fields that kept it from matching `when`. */
  readonly mismatches: readonly Mismatch[];
}

export interface ExplainParts {
  readonly store: StoreReader;
  readonly config: ReflexConfig;
  readonly downs: readonly Down[];
  /** Of this reflex: when it was disabled, enabled or cleared. */
  readonly incidents: readonly Incident[];
  readonly question: Question;
  /** As states have them, JSON of scalars; null for any. */
  readonly keys: readonly string[] | null;
  readonly from: number;
  readonly to: number;
  readonly until: number;
}

type Mutable = { -readonly [Name in keyof Seen]: Seen[Name] };

const WAITING: ReadonlySet<string> = new Set(["holding", "debouncing"]);

export function explain(parts: ExplainParts): { readonly seen: readonly Seen[]; readonly signals: number } {
  const { config, question, keys } = parts;
  const lookout = hasWords(config) ? lookoutOf(config) : null;
  if (lookout !== null && !lookout.ok) throw new Error(`${lookout.error.path}: ${lookout.error.message}`);
  const seen: Mutable[] = [];
  const matching = new Map<string, { readonly signal: number; readonly at: number }>();
  const fired = new Map<string, Replayed>();
  const limit = question.kind === "latest" ? question.limit : 1;
  const isAsked = ({ id, at }: Looked["signal"]): boolean =>
    question.kind === "signal" ? id === question.id : question.kind === "latest" || at <= question.at;
  const add = (one: Mutable): void => {
    if (!isAsked(one.signal)) return;
    seen.push(one);
    if (seen.length > limit) seen.shift();
  };

  const made = Replay.of({
    reflexes: [config],
    downs: parts.downs,
    looked: (looked) => {
      const { signal, look, before, after, stage } = looked;
      if (stage?.kind === "broken-off") breakOff(seen, looked);
      const known = before.isMatching ? (matching.get(look.key) ?? null) : null;
      if (after.isMatching && !before.isMatching) matching.set(look.key, { signal: signal.id, at: signal.at });
      if (keys !== null && !keys.includes(look.key)) return;
      const mismatches =
        lookout === null || stage === null || look.matches ? [] : whyNot(lookout.value, JSON.parse(signal.payload));
      const firedBefore = fired.get(look.key) ?? null;
      const common = { isDisabled: false, decided: null, later: null };
      add({ ...common, signal, looked, matchingSince: known, firedBefore, mismatches });
    },
    decided: (decision) => {
      for (const one of seen) settle(one, decision);
      if (decision.kind === "fire") fired.set(decision.key, decision);
    },
  });
  if (!made.ok) throw new Error(made.error.message);
  const replay = made.value;
  const incidents = [...parts.incidents];
  let isDisabled = false;
  const before = ({ at }: Pick<Signal, "at">): void => {
    for (let next = incidents[0]; next !== undefined && next.at <= at; next = incidents[0]) {
      incidents.shift();
      if (next.event === "enabled" && !isDisabled) continue;
      // What was due before is decided, what would have been due later is not.
      replay.end(next.at);
      replay.forget(0);
      matching.clear();
      if (next.event !== "reflex.cleared") isDisabled = next.event === "disabled";
    }
  };
  const bare = (signal: Looked["signal"]): Mutable => ({
    signal,
    looked: null,
    isDisabled,
    decided: null,
    later: null,
    matchingSince: null,
    firedBefore: null,
    mismatches: [],
  });
  const signals = replaySignals(parts.store, replay, parts.from, parts.to, (signal) => {
    before(signal);
    if (isDisabled) {
      add(bare(signal));
      return false;
    }
    if (lookout === null) add(bare(signal));
    return true;
  });
  before({ at: parts.until });
  replay.end(parts.until);
  return { seen, signals };
}

const whyNot = ({ when }: Lookout, payload: Json): readonly Mismatch[] => when?.why(payload) ?? [];

/** A decision at the signal itself, or the first one that its waiting led to. */
function settle(one: Mutable, decision: Replayed): void {
  const { looked, signal } = one;
  if (decision.due === null) {
    if (decision.signal === signal.id) one.decided = decision;
    return;
  }
  if (looked === null || looked.look.key !== decision.key || one.later !== null) return;
  if (WAITING.has(looked.stage?.kind ?? "") && decision.signal >= signal.id) one.later = decision;
}

function breakOff(seen: readonly Mutable[], { signal, look }: Looked): void {
  for (const one of seen) {
    const { looked, later } = one;
    if (looked?.look.key !== look.key || looked.stage?.kind !== "holding" || later !== null) continue;
    one.later = { kind: "broken-off", signal: signal.id, at: signal.at };
  }
}

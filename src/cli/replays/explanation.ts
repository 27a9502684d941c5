/**
 * What a reflex made of single signals, found by replaying it: how far each came through its words, what followed from it
 * later, and what the reader has to know of before (since when it matches, what throttles it).
 */
import type { Json } from "../../base/json.ts";
import type { ReflexConfig } from "../../model/config.ts";
import type { Mismatch } from "../../rules/check.ts";
import type { Course, Turn } from "../../rules/course.ts";
import { elementOf } from "../../rules/each.ts";
import { isNamedKey } from "../../rules/key.ts";
import { hasWords, type Matcher, matcherOf } from "../../rules/matcher.ts";
import { Replay } from "../../rules/replay.ts";
import type { Evaluation, Replayed } from "../../rules/replayed.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { BacktestIncidents } from "./backtest-incidents.ts";
import type { Recorded } from "./recorded.ts";
import { ALWAYS, type Fed, replaySignals } from "./replaying.ts";

/** Which signals are asked about. */
export type Question =
  | { readonly kind: "latest"; readonly limit: number }
  | { readonly kind: "signal"; readonly id: number }
  /** The last one up to then. */
  | { readonly kind: "at"; readonly at: number };

export interface Finding {
  readonly signal: Evaluation["signal"];
  /** Null without words. */
  readonly evaluation: Evaluation | null;
  /** Why it was not looked at: the reflex was disabled, or not there by its present rules; or the payload is damaged. */
  readonly missed: "disabled" | "not-loaded" | "unreadable" | null;
  /** What it decided at the signal itself. */
  readonly decided: Replayed | null;
  /** What came of it later: a deadline that led to a decision, or what put an end to its waiting. */
  readonly later: Replayed | End | null;
  /** Of its key: the signal since which it has matched, when it did before. */
  readonly matchingSince: { readonly signal: number; readonly at: number } | null;
  /** Of its key: the newest firing before. */
  readonly firedBefore: Replayed | null;
  /** Fields that kept it from matching `when`. */
  readonly mismatches: readonly Mismatch[];
}

/** A signal broke `for` off, or the reflex forgot what it remembered. */
export type End =
  | { readonly kind: "broken-off"; readonly signal: number; readonly at: number }
  | { readonly kind: "forgotten"; readonly turn: Turn["kind"]; readonly at: number };

export interface ExplainParts {
  readonly store: StoreReader;
  readonly config: ReflexConfig;
  readonly course: Course;
  readonly people: Pick<Recorded, "silences" | "acts">;
  readonly question: Question;
  /** As a person writes it; null for any. */
  readonly key: string | null;
  /** The signal after which it begins. */
  readonly beganAfter: number | null;
  readonly from: number;
  readonly to: number;
  readonly until: number;
}

type Mutable = { -readonly [Name in keyof Finding]: Finding[Name] };

const WAITING: ReadonlySet<string> = new Set(["holding", "debouncing"]);

export interface Explained {
  readonly seen: readonly Finding[];
  readonly fed: Fed;
}

export function explain(parts: ExplainParts): Explained {
  const { config, question, key } = parts;
  const matcher = hasWords(config) ? matcherOf(config) : null;
  if (matcher !== null && !matcher.ok) throw new Error(`${matcher.error.path}: ${matcher.error.message}`);
  const seen: Mutable[] = [];
  const matching = new Map<string, { readonly signal: number; readonly at: number }>();
  const fired = new Map<string, Replayed>();
  const limit = question.kind === "latest" ? question.limit : 1;
  let signals = 0;
  const isAsked = ({ id, at }: Evaluation["signal"]): boolean =>
    question.kind === "signal" ? id === question.id : question.kind === "latest" || at <= question.at;
  const add = (one: Mutable): void => {
    if (!isAsked(one.signal)) return;
    const newest = seen.at(-1)?.signal.id;
    if (newest !== one.signal.id && ++signals > limit) {
      // With `each` a signal has several findings, which go together.
      const oldest = seen[0]?.signal.id;
      seen.splice(0, seen.findLastIndex(({ signal }) => signal.id === oldest) + 1);
      signals--;
    }
    seen.push(one);
  };

  const beganAfter = parts.beganAfter ?? 0;
  const tested = [{ config, quietHours: [], others: new Map<string, number>() }];
  const made = Replay.of({
    incidents: new BacktestIncidents(tested, parts.people),
    reflexes: [config],
    course: { ...parts.course, begun: new Map([[config.name, beganAfter]]) },
    decided: (decision) => {
      if (decision.signal <= beganAfter) return;
      for (const one of seen) settle(one, decision);
      if (decision.kind === "fire") fired.set(decision.key, decision);
    },
    observer: {
      evaluated(evaluation) {
        const { signal, match, before, after, stage } = evaluation;
        const isAskedKey = key === null || isNamedKey(match.key, key);
        if (signal.id <= beganAfter) {
          if (isAskedKey) add({ ...bare(signal), missed: "not-loaded" });
          return;
        }
        if (stage?.kind === "broken-off") breakOff(seen, evaluation);
        const known = before.isMatching ? (matching.get(match.key) ?? null) : null;
        if (after.isMatching && !before.isMatching) matching.set(match.key, { signal: signal.id, at: signal.at });
        if (!isAskedKey) return;
        const isMatch = matcher === null || stage === null || match.matches || evaluation.isGone;
        const mismatches = isMatch ? [] : whyNot(matcher.value, signal, match.key);
        const firedBefore = fired.get(match.key) ?? null;
        add({ ...bare(signal), evaluation, matchingSince: known, firedBefore, mismatches });
      },
      passed(_, signal, isDisabled) {
        const missed = signal.id <= beganAfter ? "not-loaded" : isDisabled ? "disabled" : null;
        add({ ...bare(signal), missed });
      },
      unreadable: (_, signal) => add({ ...bare(signal), missed: "unreadable" }),
      forgot(_, turn, at) {
        matching.clear();
        fired.clear();
        for (const one of seen) if (isWaiting(one)) one.later = { kind: "forgotten", turn, at };
      },
    },
  });
  if (!made.ok) throw new Error(made.error.message);
  const replay = made.value;
  const fed = replaySignals(parts.store, replay, { from: parts.from, to: parts.to, since: ALWAYS });
  replay.end(parts.until);
  return { seen, fed };
}

const bare = (signal: Evaluation["signal"]): Mutable => ({
  signal,
  evaluation: null,
  missed: null,
  decided: null,
  later: null,
  matchingSince: null,
  firedBefore: null,
  mismatches: [],
});

const isWaiting = ({ evaluation, later }: Finding): boolean =>
  later === null && WAITING.has(evaluation?.stage?.kind ?? "");

function whyNot(matcher: Matcher, { sense, payload }: Evaluation["signal"], key: string): readonly Mismatch[] {
  const whole = JSON.parse(payload) as Json;
  const seen = matcher.each === null ? whole : elementOf(matcher, sense, whole, key);
  return matcher.when?.why(seen) ?? [];
}

/** A decision at the signal itself, or the first one that its waiting led to. */
function settle(one: Mutable, decision: Replayed): void {
  const { evaluation, signal } = one;
  if (decision.due === null) {
    const isOfKey = evaluation === null || evaluation.match.key === decision.key;
    if (decision.signal === signal.id && isOfKey) one.decided = decision;
    return;
  }
  if (evaluation?.match.key !== decision.key || !isWaiting(one)) return;
  if (decision.signal >= signal.id) one.later = decision;
}

function breakOff(seen: readonly Mutable[], { signal, match }: Evaluation): void {
  for (const one of seen) {
    const { evaluation } = one;
    if (evaluation?.match.key !== match.key || evaluation.stage?.kind !== "holding" || !isWaiting(one)) continue;
    one.later = { kind: "broken-off", signal: signal.id, at: signal.at };
  }
}

/**
 * Owns the explanation of single signals by a replay: how far each signal came through the words of the reflex, what
 * followed later, and what the reader must know of earlier signals (since when the key matches, what throttles it).
 */
import type { Json } from "../base/json.ts";
import type { ReflexConfig } from "../model/config.ts";
import type { Mismatch } from "../rules/check.ts";
import type { Course, Turn } from "../rules/course.ts";
import { elementOf } from "../rules/each.ts";
import { isNamedKey } from "../rules/key.ts";
import { hasWords, type Matcher, matcherOf } from "../rules/matcher.ts";
import { Replay } from "../rules/replay.ts";
import type { Evaluation, Replayed } from "../rules/replayed.ts";
import type { StoreReader } from "../store/open-reader.ts";
import { BacktestIncidents } from "./backtest-incidents.ts";
import type { Recorded } from "./recorded.ts";
import { ALWAYS, type Fed, replayingSignals } from "./replaying.ts";
import { type Strip, Strips } from "./strips.ts";

/** The signals that are asked about. */
export type Question =
  /** `before`: only signals with lower ids; null: the newest. Fewer than `limit` signals where they have more than `most` findings. */
  | { readonly kind: "latest"; readonly limit: number; readonly most: number; readonly before: number | null }
  | { readonly kind: "signal"; readonly id: number }
  /** The newest signal up to this time. */
  | { readonly kind: "at"; readonly at: number };

export interface Finding {
  readonly signal: Evaluation["signal"];
  /** Null for a reflex without words. */
  readonly evaluation: Evaluation | null;
  /**
   * Why the reflex did not look at the signal: it was disabled, or did not have its present rules yet, or the payload is
   * damaged.
   */
  readonly missed: "disabled" | "not-loaded" | "unreadable" | null;
  /** The decision at the signal itself. */
  readonly decided: Replayed | null;
  /** The later result: a deadline that led to a decision, or the end of the wait. */
  readonly later: Replayed | End | null;
  /** The signal since which the key matches. Null when the key did not match before. */
  readonly matchingSince: { readonly signal: number; readonly at: number } | null;
  /** The newest earlier firing of the key. */
  readonly firedBefore: Replayed | null;
  /** The fields that kept the signal from matching `when`. */
  readonly mismatches: readonly Mismatch[];
}

/** A signal broke `for` off, or the reflex forgot its memory. */
export type End =
  | { readonly kind: "broken-off"; readonly signal: number; readonly at: number }
  | { readonly kind: "forgotten"; readonly turn: Turn["kind"]; readonly at: number };

export interface ExplainParts {
  readonly store: StoreReader;
  readonly config: ReflexConfig;
  readonly course: Course;
  readonly people: Pick<Recorded, "silences" | "acts">;
  readonly question: Question;
  /** The key as a person writes it. Null for any key. */
  readonly key: string | null;
  /** The signal after which the reflex begins. */
  readonly beganAfter: number | null;
  readonly from: number;
  readonly to: number;
  readonly until: number;
  /** Unix milliseconds from which the strips of the keys are wanted. */
  readonly since: number;
}

type Mutable = { -readonly [Name in keyof Finding]: Finding[Name] };

const WAITING: ReadonlySet<string> = new Set(["holding", "debouncing"]);

export interface Explained {
  readonly seen: readonly Finding[];
  /** Older findings are left out. */
  readonly isCut: boolean;
  /** By key: since which signal it matches now, as far as that was replayed. */
  readonly matching: ReadonlyMap<string, { readonly signal: number; readonly at: number }>;
  readonly strips: readonly Strip[];
  readonly fed: Fed;
}

function askedBy(question: Question): (signal: Evaluation["signal"]) => boolean {
  if (question.kind === "signal") return ({ id }) => id === question.id;
  if (question.kind === "at") return ({ at }) => at <= question.at;
  const { before } = question;
  return ({ id }) => before === null || id < before;
}

/** The findings on the newest signals that are asked about. With `each` a signal has several findings: they stay together. */
class Newest {
  readonly seen: Mutable[] = [];
  /** Older findings are left out. */
  isCut = false;
  readonly #isAsked: (signal: Evaluation["signal"]) => boolean;
  readonly #limit: number;
  readonly #most: number;
  #signals = 0;

  constructor(question: Question) {
    this.#isAsked = askedBy(question);
    this.#limit = question.kind === "latest" ? question.limit : 1;
    this.#most = question.kind === "latest" ? question.most : Number.POSITIVE_INFINITY;
  }

  add(one: Mutable): void {
    const { seen } = this;
    if (!this.#isAsked(one.signal)) return;
    if (seen.at(-1)?.signal.id !== one.signal.id) this.#signals++;
    while (this.#signals > this.#limit || (this.#signals > 1 && seen.length >= this.#most)) {
      const oldest = seen[0]?.signal.id;
      seen.splice(0, seen.findLastIndex(({ signal }) => signal.id === oldest) + 1);
      this.#signals--;
      this.isCut = true;
    }
    seen.push(one);
  }
}

export function* explaining(parts: ExplainParts): Generator<void, Explained> {
  const { config, question, key } = parts;
  const matcher = hasWords(config) ? matcherOf(config) : null;
  if (matcher !== null && !matcher.ok) throw new Error(`${matcher.error.path}: ${matcher.error.message}`);
  const matching = new Map<string, { readonly signal: number; readonly at: number }>();
  const fired = new Map<string, Replayed>();
  const newest = new Newest(question);
  const { seen } = newest;
  const strips = new Strips(parts.since);
  const add = (one: Mutable): void => newest.add(one);
  const beganAfter = parts.beganAfter ?? 0;
  const made = Replay.of({
    incidents: new BacktestIncidents([{ config, quietHours: [], others: new Map() }], parts.people),
    reflexes: [config],
    course: { ...parts.course, begun: new Map([[config.name, beganAfter]]) },
    decided: (decision) => {
      if (decision.signal <= beganAfter) return;
      strips.decided(decision);
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
        strips.evaluated(evaluation);
        if (stage?.kind === "broken-off") breakOff(seen, evaluation);
        const known = before.isMatching ? (matching.get(match.key) ?? null) : null;
        if (!after.isMatching) matching.delete(match.key);
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
        strips.forgot(at);
        fired.clear();
        for (const one of seen) if (isWaiting(one)) one.later = { kind: "forgotten", turn, at };
      },
    },
  });
  if (!made.ok) throw new Error(made.error.message);
  const fed = yield* replayingSignals(parts.store, made.value, { ...parts, since: ALWAYS });
  made.value.end(parts.until);
  return { seen, isCut: newest.isCut, matching, strips: strips.taken(config.key), fed };
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

/** Notes a decision at the signal itself, or the first decision that its wait led to. */
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

/**
 * Owns the account of one reflex for `nerve explain`: what the reflex made of the signals that were asked about, what
 * followed, and what is pending.
 */

import { drained } from "../base/drained.ts";
import type { Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { NerveConfig, Patterns, ReflexConfig } from "../model/config.ts";
import { matchesName } from "../model/full-name.ts";
import { type Problem, problem } from "../model/problem.ts";
import { fullyNamed, type Signal } from "../model/signal.ts";
import { type Silence, silencedBy } from "../model/silence.ts";
import type { Mismatch } from "../rules/check.ts";
import { isKeyed, isNamedKey, shownKey } from "../rules/key.ts";
import { type KeyState, readKeyState } from "../rules/key-state.ts";
import type { StoreReader } from "../store/open-reader.ts";
import { ALL_SIGNALS } from "../store/signals.ts";
import { type DueTime, dueTimesOf, hasClock, nextDue } from "./due-times.ts";
import type { Followed } from "./explain-words.ts";
import { type Explained, explaining, type Finding, type Question } from "./explanation.ts";
import { isWhole } from "./gaps.ts";
import { type Fired, type Halt, isRecorded, type Occurrence, readingRecorded } from "./recorded.ts";
import { beganAfter, type Standing, standingsIn } from "./standing.ts";
import type { Strip } from "./strips.ts";

/** At most this many signals of all senses are replayed before the signal that was asked about. */
export const BACK = 1_000_000;

const LATEST_DUE_TIMES = 5;

/** A key of which something is remembered. */
interface Pending {
  readonly key: string;
  readonly state: KeyState;
}

export interface Account {
  readonly config: ReflexConfig;
  readonly isEnabled: boolean;
  /** Null where the reflex is enabled, or the log of its disabling is gone. */
  readonly disabledSince: number | null;
  readonly silence: Silence | null;
  readonly standing: Standing;
  readonly seen: readonly (Finding & { readonly followed: Followed | null })[];
  /** The reason why the reflex does not listen to the signal that was asked about. Null where it listens. */
  readonly notHeard: string | null;
  readonly pending: readonly (Pending & { readonly matchingSince: Finding["matchingSince"] })[];
  readonly strips: readonly Strip[];
  /** Decisions on signals below this id are the next page; null: none were replayed. */
  readonly next: number | null;
  /** The newest due times of the clock. Empty for a reflex on signals. */
  readonly dueTimes: readonly DueTime[];
  readonly nextDue: number | null;
  readonly wallAt: (elapsed: number) => number;
  readonly replayed: {
    readonly from: number;
    readonly to: number;
    readonly signals: number;
    readonly isWhole: boolean;
    /** True when no earlier signal is kept. */
    readonly isOldest: boolean;
    readonly unreadable: readonly number[];
  };
}

/** The axis of elapsed time, as it is now. */
export interface Axis {
  readonly aheadMs: number;
  now(): number;
  wallAt(elapsed: number): number;
}

export interface AccountParts {
  readonly store: StoreReader;
  readonly loaded: NerveConfig;
  readonly config: ReflexConfig;
  readonly question: Question;
  /** The key as a person writes it. Null for any key. */
  readonly key: string | null;
  readonly axis: Axis;
  /** How many signals of all senses are replayed before the one that was asked about. */
  readonly back: number;
  /** Unix milliseconds from which the strips of the keys are wanted. */
  readonly since: number;
  /** Unix milliseconds. */
  readonly now: number;
}

/** The signals to replay. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly isOldest: boolean;
  /**
   * Unix milliseconds. 0 when all signals are replayed: then no search by time is needed, which a set clock may mislead.
   */
  readonly begin: number;
}

function stretchOf({ signals }: StoreReader, asked: Signal | null, question: Question, back: number): Stretch {
  const [oldest] = signals.list({ ...ALL_SIGNALS, limit: 1 });
  const to = signals.lastId();
  const newest = question.kind === "latest" ? (question.before ?? to) : to;
  const target = asked?.id ?? (question.kind === "at" ? signals.firstIdSince(question.at) : newest);
  const first = oldest?.id ?? 1;
  const from = Math.max(first, target - back);
  return { from, to, isOldest: from === first, begin: from === first ? 0 : (signals.byId(from)?.at ?? 0) };
}

function unknownSignal({ signals }: StoreReader, id: number): Problem {
  const [oldest] = signals.list({ ...ALL_SIGNALS, limit: 1 });
  const hint = oldest === undefined ? "no signal is kept" : `the oldest that is kept is #${oldest.id}`;
  return problem("unknown-signal", `there is no signal #${id}`, hint);
}

/**
 * The signal, also where its payload is damaged: the replay passes over such a signal. Null where the signal is not kept.
 */
function signalOf({ signals }: StoreReader, id: number): Signal | null {
  const [found] = signals.replayable({ ...ALL_SIGNALS, after: id - 1, limit: 1 });
  return found?.id === id ? fullyNamed(found) : null;
}

export const accountOf = (parts: AccountParts): Result<Account, Problem> => drained(accounting(parts));

/** The account, made with pauses. */
export function* accounting(parts: AccountParts): Generator<void, Result<Account, Problem>> {
  const { store, loaded, config, question, key, axis, now } = parts;
  const { name } = config;
  const asked = question.kind === "signal" ? signalOf(store, question.id) : null;
  if (question.kind === "signal" && asked === null) return err(unknownSignal(store, question.id));
  const isHeard = asked === null || (asked.late === null && config.on.some((name) => matchesName(name, asked.sense)));
  const { from, to, isOldest, begin } = stretchOf(store, asked, question, parts.back);
  const standing = standingsIn(store)(config);
  const fired: Fired[] = [];
  const { course, occurrences, halts, silences, acts } = yield* readingRecorded(store, begin, axis.aheadMs, (row) => {
    if (row.reflex === name) fired.push(row);
  });
  const after = beganAfter(standing);
  const done = isHeard
    ? yield* explaining({
        store,
        config,
        course,
        people: { silences, acts },
        question,
        key,
        beganAfter: after,
        from,
        to,
        until: now,
        since: parts.since,
      })
    : { seen: [], isCut: false, matching: new Map(), strips: [], fed: { signals: 0, unreadable: [] } };
  const isEnabled = !store.switches.disabled().includes(`reflex:${name}`);
  return ok({
    config,
    isEnabled,
    disabledSince: isEnabled ? null : disabledSince(occurrences, name),
    silence: silenceOver(store, config, axis),
    standing,
    seen: done.seen.map((seen) => ({
      ...seen,
      mismatches: shownMismatches(seen.mismatches, loaded.written.get(name) ?? null),
      followed: followedBy(store, config, seen, fired, halts),
    })),
    notHeard: isHeard || asked === null ? null : notHeard(asked, config),
    pending: pendingOf(store, name, key).map((one) => ({ ...one, matchingSince: done.matching.get(one.key) ?? null })),
    strips: done.strips,
    next: nextOf(done, from, question),
    dueTimes: hasClock(config)
      ? dueTimesOf(store, name, question.kind === "at" ? question.at : null, LATEST_DUE_TIMES)
      : [],
    nextDue: isEnabled ? nextDue(config, now) : null,
    wallAt: (elapsed) => axis.wallAt(elapsed),
    replayed: { from, to, ...done.fed, isWhole: isWhole(standing, from), isOldest },
  });
}

function nextOf({ seen, isCut }: Pick<Explained, "seen" | "isCut">, from: number, question: Question): number | null {
  const oldest = seen[0]?.signal.id ?? null;
  if (question.kind !== "latest" || oldest === null || oldest <= from) return null;
  if (isCut) return oldest;
  return new Set(seen.map(({ signal }) => signal.id)).size < question.limit ? null : oldest;
}

function disabledSince(occurrences: readonly Occurrence[], name: string): number | null {
  const off = occurrences.findLast(({ source, event }) => source === `reflex:${name}` && event === "disabled");
  return off?.at ?? null;
}

/** A value that was filled in from a variable is never shown. The text of the file stands in its place. */
const shownMismatches = (mismatches: readonly Mismatch[], written: Patterns | null): readonly Mismatch[] =>
  written === null
    ? mismatches
    : mismatches.map((mismatch) => ({ ...mismatch, expected: writtenAt(written.when, mismatch.path) }));

function writtenAt(pattern: Json, path: string): string {
  let part = pattern;
  for (const key of path.split(".")) {
    if (typeof part !== "object" || part === null || Array.isArray(part)) break;
    part = part[key] ?? part[`${key}?`] ?? part;
  }
  return typeof part === "string" ? part : JSON.stringify(part);
}

function notHeard({ sense, late }: Signal, { on }: ReflexConfig): string {
  if (on.length === 0) return "it looks at no signals: only the clock runs it";
  if (late !== null) return "no reflex looked at the signal: it was too old when it came from its host (`fleet.fresh`)";
  return `it does not listen to ${sense}, only to ${on.join(", ")}`;
}

/** The silence that holds the runs of the reflex back now. */
export function silenceOver(store: StoreReader, { kind, name }: ReflexConfig, axis: Axis): Silence | null {
  if (kind === "sense" || !store.silences.exists()) return null;
  const now = axis.now();
  const silence = store.silences.all().find(({ pattern, due }) => due > now && silencedBy(pattern)(name));
  // When someone has set the clock since, the silence ends at another wall-clock time than planned.
  return silence === undefined ? null : { ...silence, until: axis.wallAt(silence.due) };
}

/** The record of the firing that the signal led to, at once or later. Earlier rules of the reflex may have fired too. */
function followedBy(
  store: StoreReader,
  config: ReflexConfig,
  seen: Finding,
  fired: readonly Fired[],
  halts: readonly Halt[],
): Followed | null {
  const decision = seen.decided ?? seen.later;
  const isByRules = decision?.kind === "fire";
  const signal = isByRules ? decision.signal : seen.signal.id;
  const key = isKeyed(config.key) ? (seen.evaluation?.match.key ?? null) : null;
  const shown = key === null ? null : JSON.stringify(shownKey(key));
  // An earlier build or other rules may have fired with another key.
  const rows = fired.filter((one) => one.signal === signal);
  const row = rows.find((one) => JSON.stringify(one.key) === shown) ?? (config.each === null ? rows[0] : undefined);
  if (!isByRules && (seen.missed !== "not-loaded" || row === undefined)) return null;
  const run = config.kind === "workflow" ? store.runs.ofSignal(config.name, signal, key) : null;
  const isKept = isRecorded(config) ? row !== undefined : null;
  const halted = config.kind === "sense" && isByRules ? haltedAt(halts, config.sense, decision.elapsed) : null;
  return { run, silenced: row?.silenced ?? null, isRecorded: isKept, halted };
}

/** The reason why `sense` started no compute at that moment. Null when it started one. */
function haltedAt(halts: readonly Halt[], sense: string, elapsed: number): Followed["halted"] {
  const before = halts.filter((halt) => halt.sense === sense && halt.elapsed <= elapsed);
  const newest = (...kinds: Halt["kind"][]) => before.findLast(({ kind }) => kinds.includes(kind))?.kind;
  if (newest("disabled", "enabled") === "disabled") return "disabled";
  return newest("quarantined", "released") === "quarantined" ? "quarantined" : null;
}

/** What the keys of a reflex remember. `key` as a person writes it; null for all. */
export function pendingOf({ reflexes }: StoreReader, name: string, key: string | null): Pending[] {
  const isKey = (row: string): boolean => key === null || isNamedKey(row, key);
  return reflexes
    .all()
    .filter((row) => row.reflex === name && row.key !== "clock" && isKey(row.key))
    .flatMap(({ key, state: stored }) => {
      const state = readKeyState(stored);
      return state === null ? [] : [{ key, state }];
    });
}

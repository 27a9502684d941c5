/** `nerve explain`: why a reflex fired or did not, and what it waits for. */
import { counted } from "../../base/counted.ts";
import { escapeForTerminal, safeJson } from "../../base/escape.ts";
import type { Json } from "../../base/json.ts";
import { localMoment } from "../../base/local-time.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Lifetime } from "../../kernel/time/lifetime.ts";
import { type NerveConfig, type Patterns, type ReflexConfig, targetOf } from "../../model/config.ts";
import { problem } from "../../model/problem.ts";
import { type Silence, silencedBy } from "../../model/silence.ts";
import type { Mismatch } from "../../rules/check.ts";
import { isKeyed, isNamedKey, shownKey } from "../../rules/key.ts";
import { type KeyState, readKeyState } from "../../rules/rule.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { ALL_SIGNALS } from "../../store/signals.ts";
import { defineCommand, text } from "../frame/command.ts";
import { EXIT, type Failure, fail, usageError } from "../frame/outcome.ts";
import { lifetimeOf } from "../place/elapsed.ts";
import { knownReflex } from "../place/known-names.ts";
import { findPlace } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { isRecorded } from "../replays/backtest.ts";
import {
  because,
  type Followed,
  followed,
  inWindow,
  keyWords,
  laterWords,
  outcomeOf,
  stateWords,
} from "../replays/explain-words.ts";
import { explain, type Finding, type Question } from "../replays/explanation.ts";
import { goneWords, isWhole, unreadableWords } from "../replays/gaps.ts";
import { type Fired, type Halt, type Incident, readRecorded } from "../replays/recorded.ts";
import { beganAfter, type Standing, standingsIn, standingWords } from "../replays/standing.ts";
import { print, printLine, span } from "../screen/terminal.ts";
import { parseSince } from "../screen/times.ts";

/** Signals before the one asked about that are replayed, of all senses. */
const BACK = 1_000_000;
const LATEST = 5;
const MAX_KEYS_TOLD = 20;
const MAX_UNREADABLE_TOLD = 5;

export const command = defineCommand({
  details:
    "Replays the signals that are kept through its rules as they are now, and tells how far each came: which field did not\nmatch, since when it matches already, what `for` or `debounce` waits for, what throttles it, which run it started. It\nbegins with the first signal after it was loaded with these rules. Without --at or --signal: its latest signals. Needs no daemon.",
  arguments: [{ name: "reflex", required: true }],
  options: {
    at: text("WHEN", "the last signal up to then: 10m (ago), 2026-11-22 or '2026-11-22 10:30'"),
    signal: text("ID", "this signal"),
    key: text("KEY", "only of this value of its `key`"),
  },
  examples: [
    ["nerve explain page-on-critical", "what it made of its latest signals"],
    ["nerve explain page-on-critical --signal 4217", "of this one"],
    ["nerve explain page-on-critical --at '2026-11-22 03:10' --key web-1", "why it was quiet that night"],
  ],
  async run({ arguments: [name = ""], options, config, json }) {
    const place = findPlace(config);
    if (!place.ok) return place;
    const loaded = place.value.config;
    if (loaded === null) return fail(EXIT.badConfig, ...place.value.problems);
    const known = knownReflex([loaded], name);
    if (!known.ok) return known;
    const question = questionOf(options, Date.now());
    if (!question.ok) return question;
    const opened = readStore(place.value);
    if (!opened.ok) return opened;
    const told = tellOf(opened.value, loaded, name, question.value, options.key);
    if (!told.ok) return told;
    if (json) print(safeJson(toJson(told.value)));
    else tell(told.value);
    return ok(EXIT.done);
  },
});

function questionOf(
  { at, signal }: { readonly at: string | null; readonly signal: string | null },
  now: number,
): Result<Question, Failure> {
  if (at !== null && signal !== null) return usageError("`--at` and `--signal` are two questions", "ask one of them");
  if (signal !== null) {
    const id = Number(signal.replace(/^#/, ""));
    if (!Number.isSafeInteger(id) || id < 1) return usageError(`\`--signal\` takes an id, not \`${signal}\``);
    return ok({ kind: "signal", id });
  }
  if (at === null) return ok({ kind: "latest", limit: LATEST });
  const time = parseSince(at, now);
  if (time !== null) return ok({ kind: "at", at: time });
  return usageError(`--at takes a time, not \`${at}\``, "as in 10m, 2026-11-22 or '2026-11-22 10:30'");
}

interface Explanation {
  readonly config: ReflexConfig;
  readonly isEnabled: boolean;
  /** Null where it is enabled, or its log is gone. */
  readonly disabledSince: number | null;
  readonly silence: Silence | null;
  readonly standing: Standing;
  readonly seen: readonly (Finding & { readonly followed: Followed | null })[];
  /** Why the signal that was asked about is none of its own. */
  readonly notHeard: string | null;
  readonly pending: readonly { readonly key: string; readonly state: KeyState }[];
  readonly wallAt: (elapsed: number) => number;
  readonly replayed: {
    readonly from: number;
    readonly to: number;
    readonly signals: number;
    readonly isWhole: boolean;
    /** Whether none is kept of what came before. */
    readonly isOldest: boolean;
    readonly unreadable: readonly number[];
  };
}

function tellOf(
  store: StoreReader,
  loaded: NerveConfig,
  name: string,
  question: Question,
  key: string | null,
): Result<Explanation, Failure> {
  const config = loaded.reflexes.find((reflex) => reflex.name === name);
  if (config === undefined) throw new Error(`reflex ${name} was there a moment ago`);
  const { signals } = store;
  const asked = question.kind === "signal" ? signals.byId(question.id) : null;
  const [oldest] = signals.list({ ...ALL_SIGNALS, limit: 1 });
  if (question.kind === "signal" && asked === null) {
    const hint = oldest === undefined ? "no signal is kept" : `the oldest that is kept is #${oldest.id}`;
    return fail(EXIT.usage, problem("unknown-signal", `there is no signal #${question.id}`, hint));
  }
  const isHeard = asked === null || config.on.includes(asked.sense);
  const last = signals.lastId();
  const target = asked?.id ?? (question.kind === "at" ? signals.firstIdSince(question.at) : last);
  const first = oldest?.id ?? 1;
  const from = Math.max(first, target - BACK);
  // All there is needs no search by time, which a set clock may mislead.
  const begin = from === first ? 0 : (signals.byId(from)?.at ?? 0);
  const lifetime = lifetimeOf(store);
  const standing = standingsIn(store)(config);
  const fired: Fired[] = [];
  const recorded = readRecorded(store, begin, lifetime.aheadMs, (row) => {
    if (row.reflex === name) fired.push(row);
  });
  const isSwitchedOff = ({ source, event }: Incident): boolean => source === `reflex:${name}` && event === "disabled";
  const done = isHeard
    ? explain({
        store,
        config,
        course: recorded.course,
        question,
        key,
        beganAfter: beganAfter(standing),
        from,
        to: last,
        until: Date.now(),
      })
    : { seen: [], fed: { signals: 0, unreadable: [] } };
  const isEnabled = !store.switches.disabled().includes(`reflex:${name}`);
  return ok({
    config,
    isEnabled,
    disabledSince: isEnabled ? null : (recorded.incidents.findLast(isSwitchedOff)?.at ?? null),
    silence: silenceOver(store, config, lifetime),
    standing,
    seen: done.seen.map((seen) => ({
      ...seen,
      mismatches: shownMismatches(seen.mismatches, loaded.written.get(name) ?? null),
      followed: followedBy(store, config, seen, fired, recorded.halts),
    })),
    notHeard: isHeard || asked === null ? null : notHeard(asked.sense, config),
    pending: pendingOf(store, name, key),
    wallAt: (elapsed) => lifetime.wallAt(elapsed),
    replayed: { from, to: last, ...done.fed, isWhole: isWhole(standing, from), isOldest: from === first },
  });
}

/** A pattern in which something was filled in expects what the file says there: its value is nobody's to read. */
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

const notHeard = (sense: string, { on }: ReflexConfig): string =>
  on.length === 0
    ? "it looks at no signals: only the clock runs it"
    : `it does not listen to ${sense}, only to ${on.join(", ")}`;

function silenceOver(store: StoreReader, { kind, name }: ReflexConfig, lifetime: Lifetime): Silence | null {
  if (kind === "sense" || !store.silences.exists()) return null;
  const now = lifetime.now();
  const silence = store.silences.all().find(({ pattern, due }) => due > now && silencedBy(pattern)(name));
  // Where the clock was set since, it ends at another time than it was going to.
  return silence === undefined ? null : { ...silence, until: lifetime.wallAt(silence.due) };
}

/** What is recorded of the firing it led to, at once or later; by other rules too, if it had those then. */
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
  // What an earlier build or other rules fired may have had another key.
  const rows = fired.filter((one) => one.signal === signal);
  const row = rows.find((one) => JSON.stringify(one.key) === shown) ?? (config.each === null ? rows[0] : undefined);
  if (!isByRules && (seen.missed !== "not-loaded" || row === undefined)) return null;
  const run = config.kind === "workflow" ? store.runs.ofSignal(config.name, signal, key) : null;
  const isKept = isRecorded(config) ? row !== undefined : null;
  const halted = config.kind === "sense" && isByRules ? haltedAt(halts, config.sense, decision.elapsed) : null;
  return { run, silenced: row?.silenced ?? null, isRecorded: isKept, halted };
}

/** Why `sense` started no compute then; null when it did. */
function haltedAt(halts: readonly Halt[], sense: string, elapsed: number): Followed["halted"] {
  const before = halts.filter((halt) => halt.sense === sense && halt.elapsed <= elapsed);
  const newest = (...kinds: Halt["kind"][]) => before.findLast(({ kind }) => kinds.includes(kind))?.kind;
  if (newest("disabled", "enabled") === "disabled") return "disabled";
  return newest("quarantined", "released") === "quarantined" ? "quarantined" : null;
}

function pendingOf({ reflexes }: StoreReader, name: string, key: string | null): Explanation["pending"] {
  const isKey = (row: string): boolean => key === null || isNamedKey(row, key);
  return reflexes
    .all()
    .filter((row) => row.reflex === name && row.key !== "clock" && isKey(row.key))
    .flatMap(({ key, state: stored }) => {
      const state = readKeyState(stored);
      return state === null ? [] : [{ key, state }];
    });
}

// ── for programs ─────────────────────────────────────────────────────────

function toJson(told: Explanation) {
  const { config, isEnabled, disabledSince, silence, standing, seen, notHeard: why, pending, wallAt, replayed } = told;
  const wall = (elapsed: number | undefined): number | null => (elapsed === undefined ? null : wallAt(elapsed));
  return {
    reflex: config.name,
    target: `${config.kind} ${targetOf(config)}`,
    on: config.on,
    enabled: isEnabled,
    disabled_since: disabledSince,
    silenced: silence === null ? null : { pattern: silence.pattern, why: silence.why, until: silence.until },
    loaded: standing.kind === "unknown" ? null : standing.kind === "loaded",
    begins_after: beganAfter(standing),
    not_heard: why,
    signals: seen.map((one) => ({
      id: one.signal.id,
      sense: one.signal.sense,
      at: one.signal.at,
      key: !isKeyed(config.key) || one.evaluation === null ? null : shownKey(one.evaluation.match.key),
      outcome: outcomeOf(one),
      gone: one.evaluation?.isGone ?? false,
      because: because(one, config),
      mismatches: one.mismatches.map(({ path, value, isMissing, expected }) => ({
        path,
        value,
        missing: isMissing,
        expected,
      })),
      matching_since: one.matchingSince,
      later: one.later === null ? null : laterJson(one.later),
      run: one.followed?.run
        ? { id: one.followed.run.id, state: one.followed.run.state, error: one.followed.run.error }
        : null,
      silenced_by: one.followed?.silenced ?? null,
      recorded: one.followed?.isRecorded ?? null,
      halted: one.followed?.halted ?? null,
    })),
    pending: pending.map(({ key, state }) => ({
      key: isKeyed(config.key) ? shownKey(key) : null,
      matching: state.isMatching,
      for_until: wall(state.holding?.due),
      debounce_until: wall(state.burst?.due),
      counted: inWindow(state, config, wallAt, Date.now()),
      throttled_until: wall(state.throttledUntil ?? undefined),
      signal: (state.burst ?? state.holding)?.signal ?? null,
    })),
    replayed: {
      from: replayed.from,
      to: replayed.to,
      signals: replayed.signals,
      whole: replayed.isWhole,
      unreadable: replayed.unreadable,
    },
  };
}

function laterJson(later: NonNullable<Finding["later"]>) {
  if (later.kind === "broken-off") return { kind: later.kind, signal: later.signal, at: later.at };
  if (later.kind === "forgotten") return { kind: later.kind, signal: null, at: later.at };
  const kind = later.kind === "fire" ? "fired" : "throttled";
  return { kind, signal: later.signal, at: later.at, due: later.due };
}

// ── for people ───────────────────────────────────────────────────────────

function tell(told: Explanation): void {
  const { config, seen, pending, wallAt, replayed } = told;
  for (const line of headOf(told)) print(line);
  if (told.notHeard !== null) {
    print(`  ${told.notHeard}`);
    return;
  }
  if (config.on.length > 0 && seen.length === 0) print("  no such signal is kept");
  for (const one of seen) {
    const { signal, evaluation } = one;
    const key = !isKeyed(config.key) || evaluation === null ? "" : `, key ${keyWords(evaluation.match.key)}`;
    const sense = escapeForTerminal(signal.sense);
    printLine([span(`${localMoment(signal.at)}  `, "dim"), span(`${sense} #${signal.id}${key}`, "cyan")]);
    print(`  ${linesOf(one, config, one.followed).join("\n  ")}`);
  }
  if (!replayed.isWhole) print(`(${goneWords({ id: replayed.from, isOldest: replayed.isOldest })})`);
  const untold = replayed.unreadable.filter((id) => !seen.some(({ signal }) => signal.id === id));
  for (const id of untold.slice(0, MAX_UNREADABLE_TOLD)) print(`(not replayed: ${unreadableWords(id)})`);
  const now = Date.now();
  const waiting = pending.flatMap(({ key, state }) => {
    const words = stateWords(state, config, wallAt, now);
    const of = isKeyed(config.key) ? `key ${keyWords(key)}: ` : "";
    return words.length === 0 ? [] : [`  ${of}${words.join("; ")}`];
  });
  if (waiting.length === 0) return;
  print("now:");
  for (const line of waiting.slice(0, MAX_KEYS_TOLD)) print(line);
  if (waiting.length > MAX_KEYS_TOLD) print(`  and ${counted(waiting.length - MAX_KEYS_TOLD, "more key")}`);
}

function headOf({ config, isEnabled, disabledSince, silence, standing }: Explanation): string[] {
  const looksAt = config.on.length === 0 ? "looks at no signals" : `looks at signals of ${config.on.join(", ")}`;
  const starts = config.kind === "sense" ? `runs sense ${config.sense}` : `starts workflow ${config.workflow}`;
  const lines = [`${escapeForTerminal(config.name)} ${looksAt} and ${starts}`];
  const words = standingWords(standing);
  if (words !== null) lines.push(`  ${words}`);
  if (beganAfter(standing) !== null && standing.kind === "loaded") {
    lines.push(`  loaded with these rules at ${localMoment(standing.at)}: it begins after signal #${standing.since}`);
  }
  if (!isEnabled) {
    const since = disabledSince === null ? "" : ` since ${localMoment(disabledSince)}`;
    lines.push(
      `  disabled${since}: it looks at nothing until \`nerve enable reflex:${escapeForTerminal(config.name)}\``,
    );
  }
  if (silence !== null) {
    const by = `"${escapeForTerminal(silence.pattern)}" (${escapeForTerminal(silence.why)})`;
    lines.push(`  silenced until ${localMoment(silence.until)} by ${by}: it decides, and starts nothing`);
  }
  return lines;
}

function linesOf(seen: Finding, config: ReflexConfig, what: Followed | null): string[] {
  const first = because(seen, config);
  const effect = what === null ? "" : `: ${followed(what, config)}`;
  if (outcomeOf(seen) === "not-loaded") {
    return [what === null ? first : `${first}; by those it had then it fired${effect}`];
  }
  if (outcomeOf(seen) === "fired") return [`${first}${effect}`];
  const later = laterWords(seen);
  return later === null ? [first] : [first, `then ${later}${effect}`];
}

/** Owns the sentences that say why a reflex did what it did. */
import { counted } from "../base/counted.ts";
import { formatDuration } from "../base/duration.ts";
import { escapeForTerminal } from "../base/escape.ts";
import { localMoment } from "../base/local-time.ts";
import { shownScalar } from "../base/shown-scalar.ts";
import type { ReflexConfig } from "../model/config.ts";
import type { Run } from "../model/run.ts";
import type { Mismatch } from "../rules/check.ts";
import type { Stage } from "../rules/decision.ts";
import type { Held, IncidentMemory } from "../rules/incident-state.ts";
import { shownKey } from "../rules/key.ts";
import type { KeyState } from "../rules/key-state.ts";
import type { Finding } from "./explanation.ts";
import { unreadableWords } from "./gaps.ts";

/** The record of a firing. */
export interface Followed {
  readonly run: Run | null;
  readonly silenced: string | null;
  /** Null where firings are never recorded: a reflex of a sense without words. */
  readonly isRecorded: boolean | null;
  /** The reason why the sense started no compute then. */
  readonly halted: "disabled" | "quarantined" | null;
}

type OutcomeName =
  | "disabled"
  | "not-loaded"
  | "unreadable"
  | "over-key-limit"
  | "no-match"
  | "no-edge"
  | "broken-off"
  | "holding"
  | "counting"
  | "debouncing"
  | "throttled"
  | "fired"
  | "ending"
  | IncidentStep;

type IncidentStep = Extract<Stage, { kind: "incident" }>["step"];

export function outcomeOf({ missed, evaluation, decided }: Finding): OutcomeName {
  if (missed !== null) return missed;
  const stage = evaluation?.stage ?? null;
  if (stage?.kind === "incident") return stage.step;
  if (decided !== null && stage?.kind !== "ending") return decided.kind === "fire" ? "fired" : "throttled";
  if (evaluation === null) return "fired";
  return stage === null ? "over-key-limit" : stage.kind;
}

const MAX_MISMATCHES = 5;
const MAX_VALUE = 80;
const MAX_EXPECTED = 200;

const shown = (text: string, most: number): string =>
  escapeForTerminal(text.length > most ? `${text.slice(0, most)}…` : text);

function mismatchWords({ path, value, isMissing, expected }: Mismatch): string {
  const field = path === "" ? "the payload" : `\`${escapeForTerminal(path)}\``;
  const is = isMissing ? "not there" : shown(JSON.stringify(value), MAX_VALUE);
  return `${field} is ${is}, expected ${shown(expected, MAX_EXPECTED)}`;
}

function notMatching({ evaluation, mismatches }: Finding): string {
  if (evaluation?.isGone === true) return "the signal has no element of this key any longer";
  if (evaluation?.match.clears && evaluation.match.matches) return "it matches `clear` too, which wins";
  const reasons = mismatches.slice(0, MAX_MISMATCHES).map(mismatchWords);
  const more = mismatches.length - reasons.length;
  return [...reasons, ...(more > 0 ? [`${more} more`] : [])].join("; ");
}

const since = ({ matchingSince }: Finding): string =>
  matchingSince === null ? "" : ` since signal #${matchingSince.signal} (${localMoment(matchingSince.at)})`;

/** A sentence for people: how far the signal came through the words of the reflex. */
export function because(seen: Finding, config: ReflexConfig): string {
  const { evaluation, firedBefore, decided } = seen;
  const stage = evaluation?.stage ?? null;
  switch (outcomeOf(seen)) {
    case "disabled":
      return "the reflex was disabled, and looked at nothing";
    case "not-loaded":
      return "came before the reflex was loaded with the rules it has now";
    case "unreadable":
      return `not replayed: ${unreadableWords(seen.signal.id)}`;
    case "over-key-limit":
      return "it remembers as many keys as it may: signals of further ones are not looked at until some come to rest";
    case "no-match":
      return `does not match: ${notMatching(seen)}`;
    case "no-edge":
      return noEdge(seen, config);
    case "broken-off": {
      const until = stage?.kind === "broken-off" ? `, which would have run out at ${localMoment(stage.due)}` : "";
      const why = evaluation?.after.isMatching === true ? "it matches again" : notMatching(seen);
      return `breaks off \`for: ${formatDuration(config.forMs ?? 0)}\`${until}: ${why || "it matches `clear`"}`;
    }
    case "holding": {
      const is = evaluation?.after.isMatching === true ? "matches" : "has ended";
      const until = stage?.kind === "holding" ? localMoment(stage.until) : "";
      return `${is}${since(seen)}; \`for: ${formatDuration(config.forMs ?? 0)}\` runs out at ${until}`;
    }
    case "counting": {
      const { count, n } = stage?.kind === "counting" ? stage : { count: 0, n: 0 };
      return `counts: ${count} of ${n} within ${formatDuration(config.count?.withinMs ?? 0)}`;
    }
    case "debouncing":
      return `waits for a pause of ${formatDuration(config.debounce?.waitMs ?? 0)}, until ${localMoment(stage?.kind === "debouncing" ? stage.until : 0)}`;
    case "throttled": {
      const last =
        firedBefore === null
          ? ""
          : `: it had fired at ${localMoment(firedBefore.at)} for signal #${firedBefore.signal}`;
      return `throttled until ${localMoment(decided?.until ?? 0)}${last}`;
    }
    case "opened":
      return "an incident opens";
    case "open":
      return `matches still${since(seen)}; the incident is open, and nothing changes`;
    case "again":
      return "matches again before `resolve_after` has passed: the incident goes on";
    case "ending": {
      const until = stage?.kind === "ending" ? localMoment(stage.until) : "";
      return `does not match: ${notMatching(seen)}; the incident resolves at ${until}`;
    }
    case "resolved":
      return `does not match: ${notMatching(seen)}; the incident resolves`;
    case "spent":
      return "its incident was resolved by hand: the key must stop matching before it opens another";
    case "limited":
      return "it has as many open incidents as it may: further keys open none until some resolve";
    case "fired":
      return seen.evaluation?.isGone === true ? "fired, for the signal has no element of this key any longer" : "fired";
  }
}

function noEdge(seen: Finding, { forMs }: ReflexConfig): string {
  const stage = seen.evaluation?.stage;
  if (stage?.kind !== "no-edge") return "";
  if (stage.edge === "rising" && forMs !== null) {
    return `matches still${since(seen)}; \`for: ${formatDuration(forMs)}\` counts from there, fires once, and has`;
  }
  if (stage.edge === "rising") return `matches already${since(seen)}; \`edge: rising\` fires when matching begins`;
  if (stage.isMatching) return `matches${since(seen)}; \`edge: falling\` fires when matching ends`;
  return `does not match, and did not before, so that nothing ended (\`edge: falling\`): ${notMatching(seen)}`;
}

/** A sentence about the effect of a firing. */
export function followed({ run, silenced, isRecorded, halted }: Followed, config: ReflexConfig): string {
  if (silenced !== null) return `silenced by "${escapeForTerminal(silenced)}": nothing was started`;
  if (run !== null) {
    const error = run.error === null ? "" : `: ${escapeForTerminal(run.error.split("\n", 1)[0] ?? "")}`;
    return `run ${run.id} of ${escapeForTerminal(run.workflow)}, ${run.state}${error}`;
  }
  if (isRecorded === false) return "by its rules as they are now, but nerve has no record of that";
  if (config.kind === "sense" && halted !== null) return `sense ${config.sense} was ${halted}, and computes nothing`;
  return config.kind === "sense" ? `sense ${config.sense} computes` : `workflow ${config.workflow}`;
}

const FORGOTTEN = {
  disabled: "the reflex was disabled",
  enabled: "the reflex was enabled",
  cleared: "the reflex was changed",
} as const;

/** A key for people: a list has commas between its items. */
export function keyWords(key: string): string {
  const shown = shownKey(key);
  return Array.isArray(shown) ? shown.map(shownScalar).join(", ") : shownScalar(shown);
}

/** The later result of the wait. Null while nothing has happened. */
export function laterWords(seen: Finding): string | null {
  const { later, signal } = seen;
  if (later === null) return null;
  if (later.kind === "forgotten") return `forgotten at ${localMoment(later.at)}: ${FORGOTTEN[later.turn]}`;
  if (later.kind === "broken-off") return `broken off by signal #${later.signal} at ${localMoment(later.at)}`;
  const of = later.signal === signal.id ? "" : ` for signal #${later.signal}`;
  if (later.kind === "fire") return `fired at ${localMoment(later.at)}${of}`;
  return `throttled at ${localMoment(later.at)}${of}, until ${localMoment(later.until ?? 0)}`;
}

/** The number of signals that `count` counts and that are still within its window. */
export function inWindow(
  { counted: passed }: KeyState,
  { count }: ReflexConfig,
  wallAt: (elapsed: number) => number,
  now: number,
): number {
  return count === null ? 0 : passed.filter((elapsed) => now - wallAt(elapsed) <= count.withinMs).length;
}

/** What a key waits for or remembers. `wallAt` gives the wall-clock time of a moment on the axis. */
export function stateWords(
  state: KeyState,
  config: ReflexConfig,
  wallAt: (elapsed: number) => number,
  now: number,
): string[] {
  const { isMatching, holding, burst, throttledUntil, incident } = state;
  const when = (due: number): string => {
    const wall = wallAt(due);
    return wall < now
      ? `was to run out at ${localMoment(wall)}, and does once nerve runs`
      : `runs out at ${localMoment(wall)}`;
  };
  const words: string[] = [];
  if (isMatching) words.push("matches");
  if (holding) words.push(`\`for\` ${when(holding.due)}, for signal #${holding.signal}`);
  if (burst) words.push(`\`debounce\` ${when(burst.due)}, for signal #${burst.signal}`);
  if (incident !== null) words.push(...incidentWords(incident, wallAt));
  const passed = inWindow(state, config, wallAt, now);
  if (passed > 0 && config.count !== null) words.push(`has counted ${counted(passed, "signal")} of ${config.count.n}`);
  if (throttledUntil !== null && wallAt(throttledUntil) > now)
    words.push(`throttled until ${localMoment(wallAt(throttledUntil))}`);
  return words;
}

function incidentWords({ open, spent, owed }: IncidentMemory, wallAt: (elapsed: number) => number): string[] {
  const held = (one: Held, of: string): string => {
    const until = one.until === null ? "" : `, looked at again at ${localMoment(wallAt(one.until))}`;
    return `\`${one.notification}\` ${of}waits for ${one.workflow}, held back by ${one.by.join(", ")}${until}`;
  };
  const words: string[] = [];
  if (open !== null) {
    words.push(`incident ${open.id} is open since ${localMoment(wallAt(open.opened))}`);
    if (open.isAcked) words.push("is acknowledged");
    if (open.off !== null) words.push(`has not matched since ${localMoment(wallAt(open.off))}`);
    words.push(...open.held.map((one) => held(one, "")));
  }
  if (spent !== null) words.push("its incident was resolved by hand, and the key must stop matching first");
  return [...words, ...owed.map((one) => held(one.held, `of incident ${one.id} `))];
}

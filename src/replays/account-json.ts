/** Owns the account of a reflex as JSON: what `nerve explain --json` prints, and what `/api/v1/reflexes/NAME` answers. */
import { targetOf } from "../model/config.ts";
import { isKeyed, shownKey } from "../rules/key.ts";
import type { KeyState } from "../rules/key-state.ts";
import type { Account } from "./account.ts";
import type { DueTime } from "./due-times.ts";
import { because, inWindow, outcomeOf } from "./explain-words.ts";
import type { Finding } from "./explanation.ts";
import { beganAfter } from "./standing.ts";

/** Which of the keys that wait or remember are shown: `most` of those behind `after`, in the order of their texts. */
export interface KeyPage {
  readonly after: string | null;
  readonly most: number;
}

export const ALL_KEYS: KeyPage = { after: null, most: Number.POSITIVE_INFINITY };

function pageOf(pending: Account["pending"], { after, most }: KeyPage) {
  const sorted = [...pending].sort((a, b) => (a.key < b.key ? -1 : 1));
  const behind = sorted.filter(({ key }) => after === null || key > after);
  const shown = behind.slice(0, most);
  const last = shown.length < behind.length ? (shown.at(-1)?.key ?? null) : null;
  return { shown, next: last === null ? null : `keys_after=${encodeURIComponent(last)}` };
}

export function accountJson(account: Account, keys: KeyPage) {
  const { config, silence, standing, replayed } = account;
  const { shown, next } = pageOf(account.pending, keys);
  const decisions = account.seen.map((one) => decisionJson(one, account));
  return {
    reflex: config.name,
    target: `${config.kind} ${targetOf(config)}`,
    on: config.on,
    enabled: account.isEnabled,
    disabled_since: account.disabledSince,
    silenced: silence === null ? null : { pattern: silence.pattern, why: silence.why, until: silence.until },
    loaded: standing.kind === "unknown" ? null : standing.kind === "loaded",
    begins_after: beganAfter(standing),
    not_heard: account.notHeard,
    due_times: account.dueTimes.map(dueTimeJson),
    next_due: account.nextDue,
    signals: decisions,
    decisions: folded(decisions),
    next: account.next === null ? null : `before=${account.next}`,
    pending: shown.map((one) => pendingJson(one, account)),
    pending_count: account.pending.length,
    pending_next: next,
    strips: account.strips,
    replayed: {
      from: replayed.from,
      to: replayed.to,
      signals: replayed.signals,
      whole: replayed.isWhole,
      unreadable: replayed.unreadable,
    },
  };
}

type Decision = ReturnType<typeof decisionJson>;

function decisionJson(one: Account["seen"][number], { config }: Account) {
  return {
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
  };
}

interface Fold {
  count: number;
  first: { readonly id: number; readonly at: number };
  last: { readonly id: number; readonly at: number };
  newest: Decision;
}

/** Only decisions that led to nothing are folded. */
const isPlain = ({ run, later }: Decision): boolean => run === null && later === null;

/** Neighbours of one key that end alike, in one; the newest first. */
function folded(decisions: readonly Decision[]): Fold[] {
  const folds: Fold[] = [];
  /** By key, the newest fold. */
  const newestOf = new Map<string, Fold>();
  for (const one of decisions) {
    const key = JSON.stringify(one.key);
    const place = { id: one.id, at: one.at };
    const before = newestOf.get(key);
    if (before?.newest.outcome === one.outcome && isPlain(before.newest) && isPlain(one)) {
      before.count++;
      before.last = place;
      before.newest = one;
      continue;
    }
    const fold: Fold = { count: 1, first: place, last: place, newest: one };
    folds.push(fold);
    newestOf.set(key, fold);
  }
  return folds.sort((a, b) => b.last.id - a.last.id);
}

function pendingJson({ key, state, matchingSince }: Account["pending"][number], { config, wallAt }: Account) {
  const wall = (elapsed: number | undefined): number | null => (elapsed === undefined ? null : wallAt(elapsed));
  return {
    key: isKeyed(config.key) ? shownKey(key) : null,
    matching: state.isMatching,
    matching_since: state.isMatching ? matchingSince : null,
    for_until: wall(state.holding?.due),
    debounce_until: wall(state.burst?.due),
    counted: inWindow(state, config, wallAt, Date.now()),
    throttled_until: wall(state.throttledUntil ?? undefined),
    signal: (state.burst ?? state.holding)?.signal ?? null,
    incident: incidentJson(state, wallAt),
  };
}

function incidentJson({ incident }: KeyState, wallAt: Account["wallAt"]) {
  const open = incident?.open ?? null;
  return open === null ? null : { id: open.id, opened_at: wallAt(open.opened), acked: open.isAcked };
}

const dueTimeJson = ({ at, due, run, message }: DueTime) => ({
  at,
  due,
  message,
  run: run === null ? null : { id: run.id, state: run.state, error: run.error },
});

function laterJson(later: NonNullable<Finding["later"]>) {
  if (later.kind === "broken-off") return { kind: later.kind, signal: later.signal, at: later.at };
  if (later.kind === "forgotten") return { kind: later.kind, signal: null, at: later.at };
  const kind = later.kind === "fire" ? ("fired" as const) : ("throttled" as const);
  return { kind, signal: later.signal, at: later.at, due: later.due };
}

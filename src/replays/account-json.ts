/** Owns the account of a reflex as JSON, for programs. */
import { targetOf } from "../model/config.ts";
import { isKeyed, shownKey } from "../rules/key.ts";
import type { Account } from "./account.ts";
import type { DueTime } from "./due-times.ts";
import { because, inWindow, outcomeOf } from "./explain-words.ts";
import type { Finding } from "./explanation.ts";
import { beganAfter } from "./standing.ts";

export function accountJson(account: Account) {
  const {
    config,
    isEnabled,
    disabledSince,
    silence,
    standing,
    seen,
    notHeard: why,
    pending,
    wallAt,
    replayed,
  } = account;
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
    due_times: account.dueTimes.map(dueTimeJson),
    next_due: account.nextDue,
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

const dueTimeJson = ({ at, due, run, message }: DueTime) => ({
  at,
  due,
  message,
  run: run === null ? null : { id: run.id, state: run.state, error: run.error },
});

function laterJson(later: NonNullable<Finding["later"]>) {
  if (later.kind === "broken-off") return { kind: later.kind, signal: later.signal, at: later.at };
  if (later.kind === "forgotten") return { kind: later.kind, signal: null, at: later.at };
  const kind = later.kind === "fire" ? "fired" : "throttled";
  return { kind, signal: later.signal, at: later.at, due: later.due };
}

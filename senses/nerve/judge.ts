/**
 * What a status means, given the last one. Counters alone do not tell a sense that fails now from one that failed once,
 * so every sense is followed from look to look:
 * - failing: it had errors or timeouts, and no success (a signal or a null) since the last of them.
 * - stale: it was due, and nothing came of it (no success, no error) for `staleAfterMs` after that.
 */
import type { SenseStatus, Status } from "./status.ts";

/** What is remembered of one sense. */
interface Seen {
  readonly computes: number;
  readonly nulls: number;
  readonly failures: number;
  readonly last_signal: number | null;
  readonly failing: boolean;
  /** When it was due next, at the last look that saw it move; unix milliseconds. */
  readonly due: number | null;
}

export interface Look {
  readonly kernel_started_at: number | null;
  readonly restarts: number;
  readonly senses: Readonly<Record<string, Seen>>;
}

export interface Limits {
  readonly now: number;
  readonly staleAfterMs: number;
  readonly queueWarning: number;
}

export interface NervePayload {
  readonly status: "ok" | "warning" | "critical";
  readonly reasons: readonly string[];
  readonly version: string;
  readonly uptime_seconds: number | null;
  readonly senses: number;
  readonly failed: readonly string[];
  readonly quarantined: readonly string[];
  readonly failing: readonly string[];
  readonly stale: readonly string[];
  readonly disabled: readonly string[];
  readonly groups_not_up: readonly string[];
  /** Of all groups since the kernel started, and since the last look. */
  readonly restarts: number;
  readonly new_restarts: number;
  readonly running: number;
  readonly queued: number;
  readonly sleeping: number;
  /** Workflow → runs waiting, where any are. */
  readonly queues: Readonly<Record<string, number>>;
}

export function judge(status: Status, previous: Look | null, limits: Limits): { payload: NervePayload; look: Look } {
  const startedAt = toMs(status.kernel.started_at);
  // A new kernel counts from zero, and knows nothing of what was due under the old one.
  const sameKernel = previous !== null && previous.kernel_started_at === startedAt;
  const followed = status.senses.map((sense) => {
    const before = previous?.senses[sense.name];
    return { ...sense, seen: follow(sense, before && !sameKernel ? afterRestart(before) : before) };
  });

  const restarts = total(status.groups, "restarts");
  const newRestarts = previous === null ? 0 : Math.max(0, restarts - (sameKernel ? previous.restarts : 0));
  const inState = (state: SenseStatus["state"]) => names(followed.filter((sense) => sense.state === state));
  const groupsIn = (...states: string[]) => names(status.groups.filter(({ state }) => states.includes(state)));
  const active = followed.filter(({ state }) => state === "ok");
  const failed = inState("failed");
  const quarantined = inState("quarantined");
  const failing = names(active.filter(({ seen }) => seen.failing));
  const stale = names(active.filter(({ seen }) => seen.due !== null && limits.now - seen.due >= limits.staleAfterMs));
  const queues = Object.fromEntries(
    status.workflows.filter(({ queued }) => queued > 0).map(({ name, queued }) => [name, queued]),
  );
  const longQueues = Object.keys(queues).filter((name) => (queues[name] ?? 0) >= limits.queueWarning);

  const critical = [
    ...say("failed to start", failed),
    ...say("quarantined", quarantined),
    ...say("stale", stale),
    ...say("stuck groups", groupsIn("stuck")),
  ];
  const warning = [
    ...say("failing", failing),
    ...say("groups that keep dying", groupsIn("backoff")),
    ...say("long queues", longQueues),
    ...(newRestarts > 0 ? [`groups restarted ${newRestarts} times since the last look`] : []),
  ];
  return {
    payload: {
      status: critical.length > 0 ? "critical" : warning.length > 0 ? "warning" : "ok",
      reasons: [...critical, ...warning],
      version: status.kernel.version,
      uptime_seconds: startedAt === null ? null : Math.max(0, Math.round((limits.now - startedAt) / 1000)),
      senses: status.senses.length,
      failed,
      quarantined,
      failing,
      stale,
      disabled: inState("disabled"),
      groups_not_up: groupsIn("starting", "backoff", "stuck"),
      restarts,
      new_restarts: newRestarts,
      running: total(status.workflows, "running"),
      queued: total(status.workflows, "queued"),
      sleeping: total(status.workflows, "sleeping"),
      queues,
    },
    look: {
      kernel_started_at: startedAt,
      restarts,
      senses: Object.fromEntries(followed.map(({ name, seen }) => [name, seen])),
    },
  };
}

/** One sense from one look to the next. */
function follow(sense: SenseStatus, before: Seen | undefined): Seen {
  const { computes, nulls } = sense;
  const failures = sense.errors + sense.timeouts;
  const lastSignal = toMs(sense.last_signal);
  const due = toMs(sense.next_due);
  const counted = { computes, nulls, failures, last_signal: lastSignal };
  if (before === undefined) {
    return { ...counted, failing: failures > 0 && nulls === 0 && lastSignal === null, due };
  }
  const succeeded = nulls > before.nulls || lastSignal !== before.last_signal;
  const failedAnew = failures > before.failures;
  const moved = succeeded || failedAnew || computes !== before.computes;
  return {
    ...counted,
    failing: !succeeded && (failedAnew || before.failing),
    // No longer scheduled, disabled or stopped with a reason: then there is nothing to wait for.
    due: moved || before.due === null || due === null || sense.state !== "ok" ? due : Math.min(before.due, due),
  };
}

const afterRestart = (seen: Seen): Seen => ({ ...seen, computes: 0, nulls: 0, failures: 0, due: null });

const toMs = (time: number | string | null | undefined): number | null => {
  const ms = typeof time === "string" ? Date.parse(time) : time;
  return typeof ms === "number" && Number.isFinite(ms) ? ms : null;
};

const names = (items: readonly { readonly name: string }[]): string[] => items.map(({ name }) => name);

const total = <Key extends string>(items: readonly Readonly<Record<Key, number>>[], key: Key): number =>
  items.reduce((sum, item) => sum + item[key], 0);

const say = (what: string, who: readonly string[]): string[] =>
  who.length === 0 ? [] : [`${what}: ${who.join(", ")}`];

/**
 * Judges a status by the one before it. Counters alone do not show whether a sense fails now or failed once, so every sense
 * is followed from look to look:
 * - failing: it had errors or timeouts, and no success (a signal or a null) since the last of them.
 * - stale: it was due, and for `staleAfterMs` after that it had neither a success nor an error.
 */
import { own } from "nerve/proc";
import type { GroupStatus, RunFailure, SenseStatus, Status, WorkflowStatus } from "nerve/status";

/** The part of a status that is judged. */
export interface Judged {
  readonly kernel: Pick<Status["kernel"], "version" | "started_at">;
  readonly groups: readonly Pick<GroupStatus, "name" | "state" | "restarts">[];
  readonly senses: readonly JudgedSense[];
  readonly workflows: readonly Pick<WorkflowStatus, "name" | "running" | "queued" | "sleeping">[];
  readonly broken_workflows: readonly Pick<Status["broken_workflows"][number], "name">[];
  readonly failures: readonly RunFailure[];
}

export type FailedRun = Pick<RunFailure, "workflow" | "run" | "state" | "error">;

export type JudgedSense = Pick<
  SenseStatus,
  "name" | "state" | "computes" | "nulls" | "errors" | "timeouts" | "last_signal" | "next_due"
>;

/** What is remembered of a sense from look to look. */
interface SenseMemory {
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
  readonly senses: Readonly<Record<string, SenseMemory>>;
  /** The newest run failure that was reported. Absent in what earlier versions remembered. */
  readonly last_failure: number | undefined;
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
  readonly uptime_seconds: number;
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
  /** Workflows whose module does not load. */
  readonly failed_workflows: readonly string[];
  /** Runs that failed, timed out or were dropped since the last look. */
  readonly failed_runs: readonly FailedRun[];
}

export function judge(status: Judged, previous: Look | null, limits: Limits): { payload: NervePayload; look: Look } {
  const startedAt = status.kernel.started_at;
  // A new kernel counts from zero, and knows nothing of what was due under the old one.
  const sameKernel = previous !== null && previous.kernel_started_at === startedAt;
  const followed = status.senses.map((sense) => {
    const before = previous === null ? undefined : own(previous.senses, sense.name);
    return { ...sense, seen: follow(sense, before && !sameKernel ? afterRestart(before) : before) };
  });

  const restarts = total(status.groups, "restarts");
  const newRestarts = previous === null ? 0 : Math.max(0, restarts - (sameKernel ? previous.restarts : 0));
  const states = byState(followed, SENSE_STATES);
  const { failed, quarantined, disabled } = states;
  const { failing, stale } = unwell([...states.ok, ...states.failing, ...states.stale], limits);
  const { starting, backoff, stuck } = byState(status.groups, GROUP_STATES);
  const waiting = status.workflows.filter(({ queued }) => queued > 0);
  const longQueues = names(waiting.filter(({ queued }) => queued >= limits.queueWarning));

  const failedRuns = newFailures(status, previous);
  const failedWorkflows = names(status.broken_workflows);

  const critical = [
    ...sentence("failed to start", names(failed)),
    ...sentence("workflows that do not load", failedWorkflows),
    ...sentence("quarantined", names(quarantined)),
    ...sentence("stale", stale),
    ...sentence("stuck groups", names(stuck)),
  ];
  const warning = [
    ...sentence("failing", failing),
    ...sentence("groups that keep dying", names(backoff)),
    ...sentence("long queues", longQueues),
    ...sentence("runs that ended badly", failedRuns.map(shownRun)),
    ...(newRestarts > 0 ? [`groups restarted ${newRestarts} times since the last look`] : []),
  ];
  return {
    payload: {
      status: critical.length > 0 ? "critical" : warning.length > 0 ? "warning" : "ok",
      reasons: [...critical, ...warning],
      version: status.kernel.version,
      uptime_seconds: Math.max(0, Math.round((limits.now - startedAt) / 1000)),
      senses: status.senses.length,
      failed: names(failed),
      quarantined: names(quarantined),
      failing,
      stale,
      disabled: names(disabled),
      groups_not_up: names([...starting, ...backoff, ...stuck]),
      restarts,
      new_restarts: newRestarts,
      running: total(status.workflows, "running"),
      queued: total(status.workflows, "queued"),
      sleeping: total(status.workflows, "sleeping"),
      queues: Object.fromEntries(waiting.map(({ name, queued }) => [name, queued])),
      failed_workflows: failedWorkflows,
      failed_runs: failedRuns.map(outcomeOf),
    },
    look: {
      kernel_started_at: startedAt,
      restarts,
      senses: Object.fromEntries(followed.map(({ name, seen }) => [name, seen])),
      last_failure: status.failures.at(-1)?.id ?? previous?.last_failure,
    },
  };
}

/** Each is reported once: their ids only grow, unless the store began anew. */
function newFailures({ failures, kernel }: Judged, previous: Look | null): readonly RunFailure[] {
  const last = previous?.last_failure;
  const newest = failures.at(-1)?.id ?? 0;
  // At the first look, those of this kernel.
  if (last === undefined) return failures.filter(({ at }) => at >= kernel.started_at);
  return newest < last ? failures : failures.filter(({ id }) => id > last);
}

const shownRun = ({ workflow, run }: FailedRun): string => `${workflow} #${run}`;
const outcomeOf = ({ workflow, run, state, error }: RunFailure): FailedRun => ({ workflow, run, state, error });

type Followed = Pick<JudgedSense, "name" | "state"> & { readonly seen: SenseMemory };

/** Senses that compute in vain: by the kernel's own state, or by the looks. */
function unwell(senses: readonly Followed[], { now, staleAfterMs }: Limits): { failing: string[]; stale: string[] } {
  const isLate = ({ due }: SenseMemory): boolean => due !== null && now - due >= staleAfterMs;
  return {
    failing: names(senses.filter(({ state, seen }) => state === "failing" || seen.failing)),
    stale: names(senses.filter(({ state, seen }) => state === "stale" || isLate(seen))),
  };
}

/** What is remembered of a sense after this look. */
function follow(sense: JudgedSense, before: SenseMemory | undefined): SenseMemory {
  const { computes, nulls } = sense;
  const failures = sense.errors + sense.timeouts;
  const { last_signal: lastSignal, next_due: due } = sense;
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
    due: moved || before.due === null || due === null ? due : Math.min(before.due, due),
  };
}

const afterRestart = (seen: SenseMemory): SenseMemory => ({ ...seen, computes: 0, nulls: 0, failures: 0, due: null });

/** Every state there is, so that a new one has to be judged here. */
const SENSE_STATES = {
  ok: [],
  failing: [],
  stale: [],
  failed: [],
  quarantined: [],
  disabled: [],
} as const satisfies Record<SenseStatus["state"], readonly []>;
const GROUP_STATES = { starting: [], up: [], backoff: [], stuck: [] } as const satisfies Record<
  GroupStatus["state"],
  readonly []
>;

const byState = <State extends string, Item extends { readonly state: State }>(
  items: readonly Item[],
  none: Readonly<Record<State, readonly []>>,
): Record<State, readonly Item[]> => ({ ...none, ...Object.groupBy(items, ({ state }) => state) });

const names = (items: readonly { readonly name: string }[]): string[] => items.map(({ name }) => name);

const total = <Key extends string>(items: readonly Readonly<Record<Key, number>>[], key: Key): number =>
  items.reduce((sum, item) => sum + item[key], 0);

const sentence = (what: string, who: readonly string[]): string[] =>
  who.length === 0 ? [] : [`${what}: ${who.join(", ")}`];

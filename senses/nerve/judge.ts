/**
 * Judges a status by the one before it. Counters alone do not show whether a sense fails now or failed once, so every sense
 * is followed from look to look:
 * - failing: it had errors or timeouts, and no success (a signal or a null) since the last of them.
 * - stale: it was due, and for `staleAfterMs` after that it had neither a success nor an error.
 */
import { own } from "nerve/proc";
import type { ChannelStatus, GroupStatus, SenseStatus, Status, WorkflowStatus } from "nerve/status";
import { type BadEndings, type FailedRun, shortened } from "./bad-endings.ts";
import { Lists } from "./lists.ts";

/** The part of a status that is judged. */
export interface Judged {
  readonly kernel: Pick<Status["kernel"], "version" | "started_at" | "store">;
  readonly groups: readonly Pick<GroupStatus, "name" | "state" | "restarts">[];
  readonly senses: readonly JudgedSense[];
  readonly workflows: readonly Pick<WorkflowStatus, "name" | "running" | "queued" | "sleeping" | "stale">[];
  readonly broken_workflows: readonly Pick<Status["broken_workflows"][number], "name">[];
  readonly inboxes: readonly Pick<Status["inboxes"][number], "sense" | "dead">[];
  readonly channels: readonly Pick<ChannelStatus, "name" | "state" | "reason" | "own">[];
}

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
  /** The log up to which the sense has looked for runs that ended badly. Absent in what earlier versions remembered. */
  readonly looked_up_to: number | undefined;
  /** What earlier versions remembered in its place: the log of the newest ending that they had reported. */
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
  /** Workflows of which no run has completed for their `expect_every`. */
  readonly stale_workflows: readonly string[];
  /** Runs that failed, timed out or were dropped since the last look. */
  readonly failed_runs: readonly FailedRun[];
  /** How many these are, those that the list leaves out included. */
  readonly failed_run_count: number;
  /** Runs that ended badly while they reported for this sense: they are in no list. */
  readonly own_failures: number;
  /** Logs that moved to the archive before the sense looked at them. */
  readonly unread_logs: number;
  /** Sense → items of its inbox that are dead, where any are. */
  readonly dead_items: Readonly<Record<string, number>>;
  /** Channels that did not take the newest message. */
  readonly failing_channels: readonly { readonly name: string; readonly reason: string | null }[];
  /** `ok`, or why nerve cannot keep anything. */
  readonly store: string;
  /** List → how many entries were left out. */
  readonly more: Readonly<Record<string, number>>;
}

/** What is seen besides what may be too much for one payload. */
interface Seen {
  readonly names: Readonly<Record<NameList, readonly string[]>>;
  readonly restarts: number;
  readonly newRestarts: number;
}

const NAME_LISTS = [
  "failed",
  "quarantined",
  "failing",
  "stale",
  "disabled",
  "groups_not_up",
  "failed_workflows",
  "stale_workflows",
] as const;
type NameList = (typeof NAME_LISTS)[number];

export function judge(
  status: Judged,
  endings: BadEndings,
  previous: Look | null,
  limits: Limits,
): { payload: NervePayload; look: Look } {
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
  const { starting, backoff, stuck } = byState(status.groups, GROUP_STATES);
  const seen: Seen = {
    names: {
      failed: names(states.failed),
      quarantined: names(states.quarantined),
      ...unwell([...states.ok, ...states.failing, ...states.stale], limits),
      disabled: names(states.disabled),
      groups_not_up: names([...starting, ...backoff, ...stuck]),
      failed_workflows: names(status.broken_workflows),
      stale_workflows: names(status.workflows.filter(({ stale }) => stale)),
    },
    restarts,
    newRestarts,
  };
  return {
    payload: Lists.fitting((lists) => payloadOf(status, endings, seen, lists, limits)),
    look: {
      kernel_started_at: startedAt,
      restarts,
      senses: Object.fromEntries(followed.map(({ name, seen }) => [name, seen])),
      looked_up_to: endings.lookedUpTo,
      last_failure: undefined,
    },
  };
}

function payloadOf(status: Judged, endings: BadEndings, seen: Seen, lists: Lists, limits: Limits): NervePayload {
  const { names: named, restarts, newRestarts } = seen;
  const waiting = status.workflows.filter(({ queued }) => queued > 0);
  const failingChannels = status.channels.filter(({ state, own: isOwn }) => state === "failing" && !isOwn);
  const { critical, warning } = reasonsOf(status, endings, seen, limits);
  return {
    status: critical.length > 0 ? "critical" : warning.length > 0 ? "warning" : "ok",
    reasons: [...critical, ...warning],
    version: status.kernel.version,
    uptime_seconds: Math.max(0, Math.round((limits.now - status.kernel.started_at) / 1000)),
    senses: status.senses.length,
    failed: lists.cut("failed", named.failed),
    quarantined: lists.cut("quarantined", named.quarantined),
    failing: lists.cut("failing", named.failing),
    stale: lists.cut("stale", named.stale),
    disabled: lists.cut("disabled", named.disabled),
    groups_not_up: lists.cut("groups_not_up", named.groups_not_up),
    restarts,
    new_restarts: newRestarts,
    running: total(status.workflows, "running"),
    queued: total(status.workflows, "queued"),
    sleeping: total(status.workflows, "sleeping"),
    queues: Object.fromEntries(lists.cut("queues", waiting).map(({ name, queued }) => [name, queued])),
    failed_workflows: lists.cut("failed_workflows", named.failed_workflows),
    stale_workflows: lists.cut("stale_workflows", named.stale_workflows),
    failed_runs: lists.counted("failed_runs", endings.fair(lists.most), endings.count),
    failed_run_count: endings.count,
    own_failures: endings.own,
    unread_logs: endings.unread,
    dead_items: Object.fromEntries(lists.cut("dead_items", deadIn(status)).map(({ sense, dead }) => [sense, dead])),
    failing_channels: lists
      .cut("failing_channels", failingChannels)
      .map(({ name, reason }) => ({ name, reason: reason === null ? null : shortened(reason) })),
    store: shortened(status.kernel.store),
    more: lists.more,
  };
}

function reasonsOf(status: Judged, endings: BadEndings, { names: named, newRestarts }: Seen, limits: Limits) {
  const { backoff, stuck } = byState(status.groups, GROUP_STATES);
  const longQueues = names(status.workflows.filter(({ queued }) => queued >= limits.queueWarning));
  const channels = status.channels.filter(({ state, own: isOwn }) => state === "failing" && !isOwn);
  const { store } = status.kernel;
  return {
    critical: [
      ...(store === "ok" ? [] : [`store: ${shortened(store)}`]),
      ...sentence("failed to start", named.failed),
      ...sentence("workflows that do not load", named.failed_workflows),
      ...sentence("quarantined", named.quarantined),
      ...sentence("stale", named.stale),
      ...sentence("stale workflows", named.stale_workflows),
      ...sentence("stuck groups", names(stuck)),
    ],
    warning: [
      ...sentence("failing", named.failing),
      ...sentence("groups that keep dying", names(backoff)),
      ...sentence("long queues", longQueues),
      ...sentence("channels that fail", names(channels)),
      ...sentence(
        "dead items",
        deadIn(status).map(({ sense, dead }) => `${dead} of ${sense}`),
      ),
      ...sentence("runs that ended badly", endings.fair(SHOWN).map(shownRun), endings.count),
      ...(newRestarts > 0 ? [`groups restarted ${newRestarts} times since the last look`] : []),
      ...(endings.unread > 0 ? [`${endings.unread} logs moved to the archive unread`] : []),
    ],
  };
}

const deadIn = ({ inboxes }: Judged): Judged["inboxes"] => inboxes.filter(({ dead }) => dead > 0);

const shownRun = ({ workflow, run }: FailedRun): string => `${workflow} #${run}`;

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

/** How many of a list a sentence names. */
const SHOWN = 10;

function sentence(what: string, who: readonly string[], count = who.length): string[] {
  if (who.length === 0) return [];
  const named = who.slice(0, SHOWN);
  const left = count - named.length;
  return [`${what}: ${named.join(", ")}${left > 0 ? ` and ${left} more` : ""}`];
}

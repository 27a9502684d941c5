/** What happened in the range that is shown: the newest rows of each kind, for the lanes of *Now*. */
import { computed } from "@preact/signals";
import type { LogsAnswer, RunsAnswer, ShownLog, ShownRun, ShownSignal, SignalsAnswer } from "../../web/contract.ts";
import { range } from "../state/range.ts";
import { apiPath } from "./api.ts";
import { type Asked, type Freshness, useAnswer } from "./ask.ts";
import { useReflexes, useSenses } from "./summary.ts";

const LOGS: Freshness = { everyMs: 30_000, after: ["log"] };
const RUNS: Freshness = { everyMs: 30_000, after: ["run"] };
const HEALTH: Freshness = { everyMs: 10_000, after: [] };

const MOST_ROWS = 200;
const MOST_SOURCES = 40;

const ERRORS = ["compute.failed", "compute.timed-out", "compute.killed"];
const KERNEL = [
  "kernel.started",
  "worker.exited",
  "config.reloaded",
  "config.refused",
  "clock.stepped",
  "reflex.silenced",
  "reflex.unsilenced",
  "sense.quarantined",
  "store.failed",
  "store.low-space",
];

/** The paths stay the same for a part of the range: only then is an answer one that was asked for before. */
const PARTS = 10;

const bounds = computed(() => {
  const { from, to, live } = range.value;
  const part = (to - from) / PARTS;
  return { since: Math.floor(from / part) * part, until: live ? null : to };
});

export interface Happened {
  readonly fired: readonly ShownLog[];
  readonly errors: readonly ShownLog[];
  readonly kernel: readonly ShownLog[];
  readonly runs: readonly ShownRun[];
  readonly health: readonly ShownSignal[];
  readonly healthSense: string | null;
  /** Of these more happened than the newest, which are here. */
  readonly more: {
    readonly fired: boolean;
    readonly errors: boolean;
    readonly kernel: boolean;
    readonly runs: boolean;
    readonly health: boolean;
  };
}

const hasMore = ({ value }: Asked<{ readonly next: string | null }>): boolean => value?.next != null;

export function useHappened(): Happened {
  const { since, until } = bounds.value;
  const { from, to } = range.value;
  const healthSense = useSenses().value?.senses.find(({ use }) => use === "host-health")?.name ?? null;
  const about = { since: Math.round(since), until, limit: MOST_ROWS };
  // What runs a sense fires all the time: the lane is about workflows.
  const starts = (useReflexes().value?.reflexes ?? []).filter(({ target }) => !target.startsWith("sense"));
  const source = starts.slice(0, MOST_SOURCES).map(({ name }) => `reflex:${name}`);
  const firedPath = source.length === 0 ? null : apiPath("logs", { event: "reflex.fired", source, ...about });
  const fired = useAnswer<LogsAnswer>(firedPath, LOGS);
  const errors = useAnswer<LogsAnswer>(apiPath("logs", { event: ERRORS, ...about }), LOGS);
  const kernel = useAnswer<LogsAnswer>(apiPath("logs", { event: KERNEL, ...about }), LOGS);
  const runs = useAnswer<RunsAnswer>(apiPath("runs", about), RUNS);
  const health = useAnswer<SignalsAnswer>(
    healthSense === null ? null : apiPath("signals", { sense: healthSense, ...about }),
    HEALTH,
  );
  const inside = ({ at }: { readonly at: number }): boolean => at >= from && at <= to;
  return {
    fired: (fired.value?.rows ?? []).filter(inside),
    errors: (errors.value?.rows ?? []).filter(inside),
    kernel: (kernel.value?.rows ?? []).filter(inside),
    runs: (runs.value?.rows ?? []).filter((run) => (run.ended_at ?? to) >= from && run.queued_at <= to),
    health: health.value?.rows ?? [],
    healthSense,
    more: {
      fired: hasMore(fired),
      errors: hasMore(errors),
      kernel: hasMore(kernel),
      runs: hasMore(runs),
      health: hasMore(health),
    },
  };
}

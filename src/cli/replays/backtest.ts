/** Owns the backtest: the signals in the store go through the rules of one configuration or two. */
import type { Json } from "../../base/json.ts";
import { batchConfigOf, type NerveConfig, type ReflexConfig } from "../../model/config.ts";
import { BacktestIncidents, type IncidentCounts, type TestedReflex } from "../../replays/backtest-incidents.ts";
import type { Recorded } from "../../replays/recorded.ts";
import { ALWAYS, replaySignals } from "../../replays/replaying.ts";
import type { Course } from "../../rules/course.ts";
import { isKeyed, shownKey } from "../../rules/key.ts";
import { Replay } from "../../rules/replay.ts";
import type { Counts, Replayed } from "../../rules/replayed.ts";
import { spelledOut } from "../../rules/same-reflex.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { ALL_RUNS } from "../../store/runs.ts";
import { batchEstimatesOf } from "./batch-estimate.ts";
import { DropEstimate } from "./drop-estimate.ts";

/** One of the two configurations: the one of `-c`, or the one it is compared with. */
export type Side = "here" | "other";

export interface Range {
  /** Ids, both included. */
  readonly from: number;
  readonly to: number;
  /** Unix milliseconds. */
  readonly since: number;
  readonly until: number;
  /** The value of `--since`, null without `--since`. */
  readonly asked: number | null;
  /** The first signal of the replay. Replays before the range give the reflexes their state at its begin. */
  readonly warmFrom: number;
}

export interface Firing {
  readonly signal: number;
  /** The value at the reflex's `key`. Null without a key. */
  readonly key: Json;
  readonly due: number | null;
  readonly at: number;
}

export interface Tested extends Counts {
  readonly config: ReflexConfig;
  /** Null for a sense, and for a workflow without ended runs, whose durations the estimate needs. */
  readonly droppedEstimate: number | null;
  /** How many runs its decisions would have begun. Null where the workflow has no `batch`. */
  readonly batchesEstimate: number | null;
  /** What may begin more runs, where its values differ: `host`, the severity. Null where nothing may. */
  readonly moreBatchesBy: string | null;
  /** Incidents that opened, and runs that report them. Null where the reflex keeps no incidents. */
  readonly incidents: IncidentCounts | null;
}

export interface Backtest {
  /** The number of replayed signals, with the signals before the range. */
  readonly signals: number;
  /** Ids of some signals whose payload is damaged. */
  readonly unreadable: readonly number[];
  readonly sides: Readonly<Record<Side, ReadonlyMap<string, Tested>>>;
}

export interface BacktestParts {
  readonly store: StoreReader;
  readonly range: Range;
  readonly course: Course;
  readonly people: Pick<Recorded, "silences" | "acts">;
  readonly here: NerveConfig;
  readonly other: NerveConfig | null;
  /** The reflexes that were asked about. Empty for all. */
  readonly names: readonly string[];
  /** `elapsed` is the time on the course's axis at which the firing was due. */
  readonly fired: (side: Side, config: ReflexConfig, firing: Firing, elapsed: number) => void;
}

/** One reflex of one configuration, or of both configurations where both have the same rules. */
interface Entry {
  readonly config: ReflexConfig;
  readonly sides: Side[];
}

const DURATIONS = 1_000;

/**
 * The reflexes that look at signals. A named reflex brings all reflexes that start its workflow, because they share its
 * slots.
 */
function chosen({ reflexes }: NerveConfig, names: readonly string[]): ReflexConfig[] {
  const listening = reflexes.filter(({ on }) => on.length > 0);
  if (names.length === 0) return listening;
  const isNamed = ({ name }: ReflexConfig): boolean => names.includes(name);
  const workflows = new Set(listening.filter(isNamed).map((reflex) => workflowOf(reflex)));
  return listening.filter(
    (reflex) => isNamed(reflex) || (reflex.kind === "workflow" && workflows.has(reflex.workflow)),
  );
}

const workflowOf = (reflex: ReflexConfig): string | null => (reflex.kind === "workflow" ? reflex.workflow : null);

function entriesOf({ here, other, names }: BacktestParts): Entry[] {
  const entries: Entry[] = chosen(here, names).map((config) => ({ config, sides: ["here"] }));
  const byDefinition = new Map(entries.map((entry) => [spelledOut(entry.config), entry]));
  for (const config of other === null ? [] : chosen(other, names)) {
    const same = byDefinition.get(spelledOut(config));
    if (same === undefined) entries.push({ config, sides: ["other"] });
    else same.sides.push("other");
  }
  return entries;
}

const firingOf = ({ key: word }: ReflexConfig, { signal, key, due, at }: Replayed): Firing => ({
  signal,
  key: isKeyed(word) ? shownKey(key) : null,
  due,
  at,
});

export function backtest(parts: BacktestParts): Backtest {
  const { store, range, course, here, other, fired } = parts;
  const entries = entriesOf(parts);
  const estimates = { here: estimatesOf(store, here), other: estimatesOf(store, other) };
  const batches = { here: batchEstimatesOf(here), other: batchEstimatesOf(other) };
  const batch = (index: number, workflow: string, key: string, elapsed: number): void => {
    const { config, sides } = entries[index] ?? NO_ENTRY;
    if (config === null) return;
    for (const side of sides) batches[side].get(workflow)?.decide(config, key, elapsed);
  };
  const incidents = new BacktestIncidents(testedOf(entries, here, other), parts.people, batch);
  let isInRange = false;
  const made = Replay.of({
    incidents,
    reflexes: entries.map(({ config }) => config),
    course,
    decided: (decision) => {
      const entry = entries[decision.reflex];
      if (!isInRange || decision.kind !== "fire" || entry === undefined) return;
      const { config, sides } = entry;
      const firing = firingOf(config, decision);
      for (const side of sides) {
        estimates[side].get(workflowOf(config) ?? "")?.fire(config.name, decision.elapsed);
        batches[side].get(workflowOf(config) ?? "")?.decide(config, decision.key, decision.elapsed);
        fired(side, config, firing, decision.elapsed);
      }
    },
    observer: null,
  });
  if (!made.ok) throw new Error(`${made.error.path}: ${made.error.message}`);
  const replay = made.value;
  const warmed = replaySignals(store, replay, { from: range.warmFrom, to: range.from - 1, since: ALWAYS });
  replay.end(range.since);
  const before = entries.map((_, index) => replay.counts(index));
  isInRange = true;
  incidents.isCounted = true;
  const fed = replaySignals(store, replay, { from: range.from, to: range.to, since: range.asked ?? ALWAYS });
  replay.end(range.until);
  const sideOf = (side: Side): ReadonlyMap<string, Tested> =>
    new Map(
      entries.flatMap(({ config, sides }, index) => {
        if (!sides.includes(side)) return [];
        const estimate = estimates[side].get(workflowOf(config) ?? "");
        const droppedEstimate = estimate === undefined ? null : (estimate.dropped.get(config.name) ?? 0);
        const counts = difference(replay.counts(index), before[index]);
        const batched = batches[side].get(workflowOf(config) ?? "");
        const batchesEstimate = batched === undefined ? null : (batched.begun.get(config.name) ?? 0);
        const moreBatchesBy = batched?.unknownIn(config) ?? null;
        const estimated = { droppedEstimate, batchesEstimate, moreBatchesBy };
        return [[config.name, { ...counts, config, ...estimated, incidents: incidents.countsOf(index) }] as const];
      }),
    );
  return {
    signals: warmed.signals + fed.signals,
    unreadable: [...warmed.unreadable, ...fed.unreadable],
    sides: { here: sideOf("here"), other: sideOf("other") },
  };
}

const NO_ENTRY = { config: null, sides: [] } as const;

/** Each reflex with its configuration. A reflex of both configurations has the quiet hours of the first. */
function testedOf(entries: readonly Entry[], here: NerveConfig, other: NerveConfig | null): TestedReflex[] {
  const places = (side: Side): ReadonlyMap<string, number> =>
    new Map(
      entries.flatMap(({ config, sides }, index) => (sides.includes(side) ? [[config.name, index] as const] : [])),
    );
  const bySide = { here: places("here"), other: places("other") };
  return entries.map(({ config, sides }) => {
    const side = sides[0] ?? "here";
    const quietHours = (side === "here" ? here : other)?.quietHours ?? [];
    return { config, quietHours, others: bySide[side] };
  });
}

const difference = (after: Counts, before: Counts | undefined): Counts => ({
  signals: after.signals - (before?.signals ?? 0),
  matched: after.matched - (before?.matched ?? 0),
  fired: after.fired - (before?.fired ?? 0),
  throttled: after.throttled - (before?.throttled ?? 0),
  limited: after.limited - (before?.limited ?? 0),
});

/** An estimate for each workflow that has ended runs, from the durations of the newest of them. */
function estimatesOf({ runs }: StoreReader, config: NerveConfig | null): Map<string, DropEstimate> {
  const estimates = new Map<string, DropEstimate>();
  for (const [name, workflow] of config?.workflows ?? []) {
    // What waits in a batch is not dropped.
    if (batchConfigOf(workflow) !== null) continue;
    const ended = runs.list({
      ...ALL_RUNS,
      limit: DURATIONS,
      newest: true,
      workflows: [name],
      states: ["completed", "failed", "cancelled", "timed-out"],
    });
    const durations = ended.flatMap(({ started_at, ended_at }) =>
      started_at === null || ended_at === null ? [] : [Math.max(0, ended_at - started_at)],
    );
    if (durations.length > 0) estimates.set(name, new DropEstimate(workflow, durations));
  }
  return estimates;
}

/** What the engine is doing, in the form `nerve status` shows it. Reads; changes nothing. */
import { counted } from "../../base/counted.ts";
import { inboxBoundsOf } from "../../config/defaults.ts";
import type { Status } from "../../control/contract.ts";
import { targetOf } from "../../model/config.ts";
import { fleetConcerns } from "../../model/fleet-concerns.ts";
import type { FleetStatus } from "../../model/fleet-status.ts";
import type { OtlpStatus } from "../../model/otlp-status.ts";
import { formatProblem, placeOf } from "../../model/problem.ts";
import { VERSION } from "../../version.ts";
import type { Engine } from "../engine.ts";
import type { Sense } from "../memory/sense.ts";
import type { Group } from "../senses/group.ts";
import type { Listeners } from "./listeners.ts";

export interface StatusParts {
  readonly engine: Engine;
  readonly listeners: Pick<Listeners, "listening">;
  readonly pid: number;
  readonly startedAt: number;
  readonly data: string;
  /** What the store answers to commits, or how little room is left; null when all is well. */
  readonly trouble: () => string | null;
}

const rounded = (ms: number | null): number | null => (ms === null ? null : Math.round(ms * 1000) / 1000);

/** One that is long would be asked for again and again, a thousand times over where so many senses fail. The log has all of it. */
const MOST_CHARACTERS = 500;

const shortened = <T extends string | null>(text: T): T =>
  text === null || text.length <= MOST_CHARACTERS ? text : (`${text.slice(0, MOST_CHARACTERS)}…`.toWellFormed() as T);

type SenseStatus = Status["senses"][number];

/** How a sense is, and why it is not well. */
function healthOf(
  sense: Sense,
  group: Group | undefined,
  staleness: string | null,
): Pick<SenseStatus, "state" | "reason" | "place"> {
  const { state, problem, quarantine, strikes, stats } = sense;
  if (state !== "ok") {
    const died = quarantine ? `its worker died ${strikes} times while it ran alone` : null;
    return { state, reason: shortened(problem?.message ?? died), place: problem === null ? null : placeOf(problem) };
  }
  if (group?.state === "stuck") {
    const why = group.stuckFor === null ? "" : `: ${group.stuckFor}`;
    return {
      state: "stale",
      reason: `the worker of its group ${group.name} was killed and is not gone${why}`,
      place: null,
    };
  }
  const { failure } = stats;
  if (staleness !== null) {
    const reason = failure === null ? staleness : `${staleness}; its newest compute failed: ${shortened(failure)}`;
    return { state: "stale", reason, place: null };
  }
  return failure === null
    ? { state, reason: null, place: null }
    : { state: "failing", reason: shortened(failure), place: null };
}

/** For the service manager. */
export function statusLine({ senses, groups }: Engine, isLowOnSpace: boolean): string {
  const unwell = [...senses.values()].filter(({ state }) => state === "failed" || state === "quarantined").length;
  const parts = [
    `${counted(senses.size, "sense")} in ${counted(groups.size, "group")}`,
    ...(unwell === 0 ? [] : [`${unwell} not well`]),
    ...(isLowOnSpace ? ["low on space"] : []),
  ];
  return `STATUS=${parts.join(", ")}`;
}

const roomIn = ({ senses, inboxes }: Engine): Status["boxes"] =>
  inboxes.boxes().flatMap((box) => {
    const inbox = senses.get(box.sense)?.config.inbox ?? null;
    if (inbox === null) return [];
    return [{ sense: box.sense, full: box.isFull(inboxBoundsOf(inbox)), newest_at: box.newestAt }];
  });

type Reflex = NonNullable<ReturnType<Engine["reflexes"]["byName"]["get"]>>;

const NEVER = Number.POSITIVE_INFINITY;

/** When time is to make a reflex that is enabled due. */
function nextTime({ watches }: Engine, { config, calendars }: Reflex, now: number): number {
  const wakesInMs = watches.wakesInMs(config.name) ?? NEVER;
  return Math.min(now + wakesInMs, ...calendars.map((calendar) => calendar.next(now) ?? NEVER));
}

/** A process that runs has tried a server by then. */
const START_MS = 30_000;
const NOT_UP = "its process has not stayed up, and starts again by itself (`nerve logs worker.exited`)";

/** The fleet among what listens: failed where any side of it is cut off, or where something of it needs a person. */
function fleetListening(fleet: FleetStatus | null, now: number): Status["listeners"] {
  if (fleet === null) return [];
  const sides = [fleet.out, ...(fleet.in === null ? [] : [fleet.in])];
  const about = { name: "fleet", address: fleet.servers.join(", ") } as const;
  const failed = sides.find(({ state }) => state === "blocked" || state === "offline");
  if (failed !== undefined) return [{ ...about, state: "failed", reason: shortened(failed.why), since: failed.since }];
  const waiting = sides.find(({ state, since }) => state === "starting" && now - since > START_MS);
  if (waiting !== undefined) return [{ ...about, state: "failed", reason: NOT_UP, since: waiting.since }];
  const [concern] = fleetConcerns(fleet);
  if (concern !== undefined)
    return [{ ...about, state: "failed", reason: shortened(concern.reason), since: concern.since }];
  const isUp = sides.every(({ state }) => state === "connected");
  return [{ ...about, state: isUp ? "up" : "starting", reason: null, since: null }];
}

/** The receiver of OTLP among what listens: cut off where any kind is. */
function otlpListening(otlp: OtlpStatus | null): Status["listeners"] {
  if (otlp === null) return [];
  const about = { name: "otlp", address: otlp.address } as const;
  const failed = otlp.links.find(({ state }) => state !== "connected" && state !== "starting");
  if (failed !== undefined) return [{ ...about, state: "failed", reason: shortened(failed.why), since: failed.since }];
  const isUp = otlp.links.some(({ state }) => state === "connected");
  return [{ ...about, state: isUp ? "up" : "starting", reason: null, since: null }];
}

const linksOf = ({ fleet, otlp }: Engine, now: number): Status["listeners"] => [
  ...fleetListening(fleet.status, now),
  ...otlpListening(otlp.status),
];

export function statusOf({ engine, listeners, pid, startedAt, data, trouble }: StatusParts): Status {
  const now = engine.clock.wallMs();
  const reflexes = [...engine.reflexes.byName.values()];
  const dueOf = new Map(reflexes.map((reflex) => [reflex, reflex.enabled ? nextTime(engine, reflex, now) : NEVER]));
  const bySense = Map.groupBy(reflexes, ({ sense }) => sense);
  const firstOf = (some: typeof reflexes): number | null => {
    const first = Math.min(...some.map((reflex) => dueOf.get(reflex) ?? NEVER));
    return Number.isFinite(first) ? first : null;
  };
  const nextDue = (sense: Sense): number | null => (sense.state === "ok" ? firstOf(bySense.get(sense) ?? []) : null);
  return {
    kernel: { pid, version: VERSION, started_at: startedAt, data, store: trouble() ?? "ok" },
    groups: [...engine.groups.values()].map(({ name, state, pid, restarts, memory }) => ({
      name,
      state,
      pid,
      restarts,
      memory,
    })),
    senses: [...engine.senses.values()].map((sense) => ({
      name: sense.name,
      group: sense.config.group,
      ...healthOf(sense, engine.groups.get(sense.config.group), engine.expectations.staleness("sense", sense.name)),
      computes: sense.stats.computes,
      nulls: sense.stats.nulls,
      errors: sense.stats.errors,
      timeouts: sense.stats.timeouts,
      missed: sense.stats.missed,
      p50_ms: rounded(sense.stats.percentile(0.5)),
      p99_ms: rounded(sense.stats.percentile(0.99)),
      last_signal: sense.stats.newestSignal?.at ?? null,
      next_due: nextDue(sense),
    })),
    reflexes: reflexes.map((reflex) => {
      const { config, enabled, fired, throttled, missed } = reflex;
      return {
        name: config.name,
        target: `${config.kind}:${targetOf(config)}`,
        enabled,
        fired,
        throttled,
        missed,
        next_due: firstOf([reflex]),
        silenced_until: config.kind === "workflow" ? engine.silences.until(config.name) : null,
      };
    }),
    workflows: [...engine.workflows.byName.values()].map(({ name, counts }) => ({
      name,
      ...counts,
      stale: engine.expectations.staleness("workflow", name) !== null,
    })),
    broken_workflows: [...engine.workflows.byName.values()].flatMap(({ name, problem }) =>
      problem === null ? [] : [{ name, reason: shortened(formatProblem(problem)) }],
    ),
    watchdog: engine.watchdog.status,
    channels: engine.workflows.channels.all,
    inboxes: engine.inboxes.totals(),
    boxes: roomIn(engine),
    deliveries: engine.deliveries.waiting(),
    incidents: engine.incidents.counts,
    failures: engine.workflows.endings.newest.map((one) => ({ ...one, error: shortened(one.error) })),
    listeners: [...listeners.listening, ...linksOf(engine, now)],
    fleet: engine.fleet.status,
    otlp: engine.otlp.status,
  };
}

/**
 * Owns how a sense is, and since when: from the daemon where one answers, else from the logs. The logs alone say since when.
 */
import type { Log } from "../model/log.ts";
import { ALL_LOGS } from "../store/logs.ts";
import { ALL_SIGNALS } from "../store/signals.ts";
import { readFields } from "./fields.ts";
import type { Scene } from "./scene.ts";

export interface Health {
  readonly state: "ok" | "failing" | "stale" | "failed" | "quarantined" | "disabled";
  /** Null where nothing says so. */
  readonly since: number | null;
  readonly reason: string | null;
  /** Unix milliseconds at which a quarantine ends by itself; null where there is none. */
  readonly until: number | null;
  /** Of its worker, which led to a quarantine. */
  readonly deaths: number;
}

const WELL: Health = { state: "ok", since: null, reason: null, until: null, deaths: 0 };

/** Errors of a sense that are looked at. Repeats of one error are one log a minute. */
const ERRORS = 100;
const RELEASES = 1_000;
/** Older logs are in archive files, which take long to read and say nothing of now. */
const BACK_MS = 7 * 24 * 3_600_000;

/** Fewer are no quarantine. */
const LEAST_DEATHS = 3;

const STALE: ReadonlySet<string> = new Set(["sense.stale", "workflow.stale"]);

const FAILURES: ReadonlySet<string> = new Set(["compute.failed", "compute.timed-out", "compute.killed"]);

function errorsOf({ store, now }: Scene, ...senses: readonly string[]): Log[] {
  const sources = senses.map((sense) => `sense:${sense}`);
  const limit = ERRORS * senses.length;
  return store.history.page({ ...ALL_LOGS, sources, since: now - BACK_MS, level: "error", limit, newest: true });
}

/** Of `senses` those that may not be well: a look at each of the others would cost as much, and find nothing. */
export function suspectsIn(scene: Scene, senses: readonly string[]): string[] {
  if (scene.status !== null) {
    return scene.status.senses.filter(({ state }) => state !== "ok").map(({ name }) => name);
  }
  const sources = new Set(senses.length === 0 ? [] : errorsOf(scene, ...senses).map(({ source }) => source));
  return senses.filter((sense) => sources.has(`sense:${sense}`));
}

export function healthOf(scene: Scene, sense: string): Health {
  const { status } = scene;
  if (status === null) return recorded(scene, sense);
  const now = status.senses.find(({ name }) => name === sense);
  if (now === undefined || now.state === "ok") return WELL;
  if (now.state === "disabled") return disabled(scene, sense);
  const errors = errorsOf(scene, sense);
  const reason = now.place === null || now.reason?.includes(now.place) ? now.reason : `${now.place}: ${now.reason}`;
  if (now.state === "quarantined") return quarantine(errors);
  const since = sinceOf(scene, sense, now, errors);
  return { ...WELL, state: now.state, since: since ?? null, reason };
}

type SenseNow = NonNullable<Scene["status"]>["senses"][number];

function sinceOf(scene: Scene, sense: string, { state, last_signal }: SenseNow, errors: readonly Log[]) {
  if (state === "failed") return newest(errors, "sense.failed")?.at;
  const failure = firstFailure(errors, last_signal)?.at;
  return state === "stale" ? (staleness(scene, `sense:${sense}`).at ?? failure) : failure;
}

/** When `expect_every` of a sense or workflow was over, and what was logged of that. */
export function staleness({ store, now }: Scene, source: string) {
  const page = {
    ...ALL_LOGS,
    sources: [source],
    since: now - BACK_MS,
    level: "warn",
    limit: ERRORS,
    newest: true,
  } as const;
  const log = store.history.page(page).findLast(({ event }) => STALE.has(event)) ?? null;
  return { at: log?.at ?? null, message: log?.message ?? null };
}

/** Without a daemon: what the logs leave. */
function recorded(scene: Scene, sense: string): Health {
  const { store } = scene;
  if (store.switches.disabled().includes(`sense:${sense}`)) return disabled(scene, sense);
  const errors = errorsOf(scene, sense);
  const last = errors.at(-1);
  if (last === undefined) return WELL;
  const held = newest(errors, "sense.quarantined");
  if (held !== null && !isReleased(scene, sense, held.id)) {
    return quarantine(errors);
  }
  const [signal] = store.signals.list({ ...ALL_SIGNALS, senses: [sense], limit: 1, newest: true });
  const at = signal?.at ?? null;
  if (at !== null && last.at <= at) return WELL;
  if (last.event === "sense.failed") return { ...WELL, state: "failed", since: last.at, reason: last.message };
  if (!FAILURES.has(last.event)) return WELL;
  return { ...WELL, state: "failing", since: firstFailure(errors, at)?.at ?? last.at, reason: last.message };
}

const disabled = ({ store, now }: Scene, sense: string): Health => {
  const sources = [`sense:${sense}`];
  const rows = store.history.page({ ...ALL_LOGS, sources, since: now - BACK_MS, limit: ERRORS, newest: true });
  return { ...WELL, state: "disabled", since: newest(rows, "disabled")?.at ?? null };
};

function isReleased({ store }: Scene, sense: string, after: number): boolean {
  const rows = store.history.page({ ...ALL_LOGS, after, sources: [`sense:${sense}`], limit: RELEASES });
  return rows.some(({ event }) => event === "sense.released");
}

const newest = (rows: readonly Log[], event: string): Log | null => rows.findLast((row) => row.event === event) ?? null;

const firstFailure = (errors: readonly Log[], lastSignal: number | null): Log | null =>
  errors.find(({ event, at }) => FAILURES.has(event) && at > (lastSignal ?? 0)) ?? null;

function quarantine(errors: readonly Log[]): Health {
  const held = newest(errors, "sense.quarantined");
  const death = newest(errors, "compute.killed");
  const { for_ms: forMs } = readFields(held?.data ?? null);
  const { strikes } = readFields(death?.data ?? null);
  return {
    state: "quarantined",
    since: held?.at ?? null,
    reason: death?.message ?? null,
    until: held !== null && typeof forMs === "number" ? held.at + forMs : null,
    deaths: typeof strikes === "number" ? strikes : LEAST_DEATHS,
  };
}

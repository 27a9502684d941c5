/** Owns the due times of a reflex: the newest recorded due times, and the next due times. */
import { parseStored } from "../base/json.ts";
import { DEFAULT_ALIGN } from "../config/defaults.ts";
import type { ReflexConfig } from "../model/config.ts";
import type { Run } from "../model/run.ts";
import { cronCalendar, intervalCalendar, jitterOffset } from "../rules/calendar.ts";
import { ALL_LOGS } from "../store/logs.ts";
import type { StoreReader } from "../store/open-reader.ts";

/** A due time of a workflow, as the kernel decided it. */
export interface DueTime {
  /** Unix milliseconds of the decision. */
  readonly at: number;
  /** Null where the due time was missed. */
  readonly due: number | null;
  /** The run that the due time started. Null where the due time was missed, or where the run is no longer kept. */
  readonly run: Run | null;
  readonly message: string;
}

export const hasClock = ({ intervalMs, cron, onStart }: ReflexConfig): boolean =>
  intervalMs !== null || cron !== null || onStart === true;

/** The newest `limit` due times up to `until`, oldest first. Due times of senses are not recorded. */
export function dueTimesOf(
  { history, runs }: StoreReader,
  name: string,
  until: number | null,
  limit: number,
): DueTime[] {
  const page = { ...ALL_LOGS, sources: [`reflex:${name}`], until, limit: limit * 4, newest: true };
  const rows = history.page(page).filter(({ event }) => event === "reflex.fired" || event === "reflex.missed");
  return rows.slice(-limit).map(({ at, data, message }) => {
    const fields = data === null ? null : (parseStored(data) as { readonly due: number; readonly run: number });
    return { at, due: fields?.due ?? null, run: fields === null ? null : runs.byId(fields.run), message };
  });
}

/** The next due time of the reflex. Null where there is none, or where it depends on the start of nerve. */
export function nextDue({ name, intervalMs, align, jitterMs, cron, tz }: ReflexConfig, now: number): number | null {
  const isAligned = align ?? DEFAULT_ALIGN;
  const calendars = [
    ...(cron === null ? [] : [cronCalendar(cron, tz)]),
    ...(intervalMs === null || !isAligned ? [] : [intervalCalendar(intervalMs, jitterOffset(name, jitterMs ?? 0))]),
  ];
  const times = calendars.flatMap((calendar) => calendar.next(now) ?? []);
  return times.length === 0 ? null : Math.min(...times);
}

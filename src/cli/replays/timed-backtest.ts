/**
 * Owns the backtest of reflexes that the clock makes due: how many due times their words give in the range, and how many
 * runs the daemon started for them. Due times that passed while nerve was down count as `catch_up` says. A reflex that is new
 * catches nothing up, and a due time is missed while the run before it is queued: the replay cannot know either.
 */
import { DEFAULT_ALIGN } from "../../config/defaults.ts";
import { type NerveConfig, targetOf, type WorkflowReflexConfig } from "../../model/config.ts";
import { hasClock } from "../../replays/due-times.ts";
import { type Calendar, cronCalendar, intervalCalendar, jitterOffset } from "../../rules/calendar.ts";
import type { ClockStep, Course } from "../../rules/course.ts";
import { ALL_LOGS } from "../../store/logs.ts";
import type { StoreReader } from "../../store/open-reader.ts";

/** `due` is null where the calendar gives too many due times, or where they depend on the start of nerve. */
export interface TimedRow {
  readonly reflex: string;
  readonly workflow: string;
  readonly due: number | null;
  /** Of the other configuration. Null without one, or where it has no such reflex. */
  readonly thereDue: number | null;
  /** Logs `reflex.fired` and `reflex.missed` in the range. */
  readonly started: number;
  readonly missed: number;
}

export interface TimedParts {
  readonly store: StoreReader;
  /** Unix milliseconds. */
  readonly since: number;
  readonly until: number;
  readonly course: Pick<Course, "downs" | "steps">;
  readonly here: NerveConfig;
  readonly other: NerveConfig | null;
  /** The reflexes that were asked about. Empty for all. */
  readonly names: readonly string[];
}

/** Due times of one reflex that are counted through. */
const MOST_DUE = 1_000_000;
const MOST_LOGS = 1_000_000;

const timedIn = ({ reflexes }: NerveConfig): WorkflowReflexConfig[] =>
  reflexes.flatMap((reflex) => (reflex.kind === "workflow" && hasClock(reflex) ? [reflex] : []));

export function timedBacktest(parts: TimedParts): TimedRow[] {
  const { store, since, until, here, other, names } = parts;
  const there = new Map((other === null ? [] : timedIn(other)).map((reflex) => [reflex.name, reflex]));
  const all = [
    ...timedIn(here),
    ...[...there.values()].filter(({ name }) => !here.reflexes.some((one) => one.name === name)),
  ];
  const range = windowsIn(parts);
  return all
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .map((reflex) => {
      const isHere = here.reflexes.some(({ name }) => name === reflex.name);
      const beside = there.get(reflex.name);
      const page = { ...ALL_LOGS, sources: [`reflex:${reflex.name}`], since, until, limit: MOST_LOGS };
      const events = store.history.page(page).map(({ event }) => event);
      return {
        reflex: reflex.name,
        workflow: targetOf(reflex),
        due: isHere ? dueIn(reflex, range) : 0,
        thereDue: beside === undefined ? null : dueIn(beside, range),
        started: events.filter((event) => event === "reflex.fired").length,
        missed: events.filter((event) => event === "reflex.missed").length,
      };
    });
}

/** Unix milliseconds, `from` not included. `isDown`: nerve was not there. */
interface Window {
  readonly from: number;
  readonly to: number;
  readonly isDown: boolean;
}

/** The wall clock at `elapsed`, as far as the logs tell. */
function wallAt(elapsed: number, steps: readonly ClockStep[]): number {
  let ahead = 0;
  for (const step of steps) if (step.elapsed <= elapsed) ahead -= step.byMs;
  return elapsed - ahead;
}

function windowsIn({ since, until, course: { downs, steps } }: TimedParts): Window[] {
  const windows: Window[] = [];
  let from = since;
  for (const down of downs) {
    const [begin, end] = [wallAt(down.from, steps), wallAt(down.to, steps)].map((at) =>
      Math.min(Math.max(at, from), until),
    );
    if (begin === undefined || end === undefined || begin >= end) continue;
    windows.push({ from, to: begin, isDown: false }, { from: begin, to: end, isDown: true });
    from = end;
  }
  return [...windows, { from, to: until, isDown: false }];
}

function dueIn(reflex: WorkflowReflexConfig, windows: readonly Window[]): number | null {
  const { name, intervalMs, align, jitterMs, cron, tz, catchUp, onStart } = reflex;
  if (intervalMs !== null && !(align ?? DEFAULT_ALIGN)) return null;
  const calendars: readonly Calendar[] = [
    ...(cron === null ? [] : [cronCalendar(cron, tz)]),
    ...(intervalMs === null ? [] : [intervalCalendar(intervalMs, jitterOffset(name, jitterMs ?? 0))]),
  ];
  const isCaughtUp = (catchUp ?? (cron === null ? "none" : "one")) === "one";
  let due = 0;
  for (const calendar of calendars) {
    for (const { from, to, isDown } of windows) {
      let at = calendar.next(from);
      if (isDown) {
        if (isCaughtUp && at !== null && at <= to) due++;
        continue;
      }
      for (; at !== null && at <= to; at = calendar.next(at)) if (++due > MOST_DUE) return null;
    }
  }
  // Each downtime ends with a start of nerve.
  return onStart === true ? due + windows.filter(({ isDown }) => isDown).length : due;
}

/** What a look at all units says: what has failed, what was started again since the last look, what is late. */
import type { SenseDatabase } from "nerve";
import { isChosen } from "nerve/glob";
import { counters } from "./schema.ts";
import type { Unit } from "./show.ts";

/** A longer list is cut, and its count is not. */
const LONGEST_LIST = 100;
const MOST_NAMED = 50;

interface Question {
  /** Full names and patterns of the units that are described whatever their state is. */
  readonly named: readonly string[];
  readonly lateAfterMs: number;
  /** Unix milliseconds. */
  readonly now: number;
}

export function judge(db: SenseDatabase, units: readonly Unit[], { named, lateAfterMs, now }: Question) {
  const failed = units
    .filter(({ state }) => state === "failed")
    .map(({ unit, result, exit_status, since }) => ({ unit, result, exit_status, since }));
  const restarted = restartsIn(db, units);
  const late = lateIn(units, lateAfterMs, now);
  return {
    failed: failed.slice(0, LONGEST_LIST),
    failed_count: failed.length,
    restarted: restarted.slice(0, LONGEST_LIST),
    restarted_count: sum(restarted),
    late: late.slice(0, LONGEST_LIST),
    late_count: late.length,
    ...(named.length === 0 ? {} : { units: describe(units.filter(({ unit }) => isChosen(unit, named, []))) }),
  };
}

interface Restarted {
  readonly unit: string;
  /** Since the last look. */
  readonly restarts: number;
  readonly total: number;
}

const sum = (list: readonly Restarted[]): number => list.reduce((all, { restarts }) => all + restarts, 0);

/** Which services were started again since the last look. A unit that is seen for the first time was not. */
function restartsIn(db: SenseDatabase, units: readonly Unit[]): readonly Restarted[] {
  const before = new Map(
    db
      .select()
      .from(counters)
      .all()
      .map(({ unit, restarts }) => [unit, restarts]),
  );
  const counted = units.flatMap(({ unit, restarts }) => (restarts === null ? [] : [{ unit, restarts }]));
  const changed = counted.filter(({ unit, restarts }) => before.get(unit) !== restarts);
  const isThere = new Set(counted.map(({ unit }) => unit));
  if (changed.length > 0 || [...before.keys()].some((unit) => !isThere.has(unit))) {
    db.delete(counters).run();
    for (const row of counted) db.insert(counters).values(row).run();
  }
  return changed.flatMap(({ unit, restarts }) => {
    const last = before.get(unit);
    if (last === undefined) return [];
    // A start by hand sets the count back to 0.
    const grown = restarts > last ? restarts - last : restarts;
    return grown === 0 ? [] : [{ unit, restarts: grown, total: restarts }];
  });
}

/** Timers of the calendar that wait for a time which has passed. */
function lateIn(units: readonly Unit[], limitMs: number, now: number) {
  return units.flatMap(({ unit, state, timer }) => {
    if (timer === null || timer.next === null || state !== "active" || now - timer.next < limitMs) return [];
    const { triggers, next, last } = timer;
    return [{ unit, triggers, late_seconds: Math.floor((now - next) / 1000), last }];
  });
}

const describe = (units: readonly Unit[]) =>
  units.slice(0, MOST_NAMED).map(({ unit, loaded, state, sub, result, restarts, since, memory_bytes, cpu_seconds }) => {
    return { unit, loaded, state, sub, result, restarts, since, memory_bytes, cpu_seconds };
  });

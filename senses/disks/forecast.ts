/** When a file system is full, if it goes on filling as it did: a straight line through what was available. */
import { gte, sql } from "drizzle-orm";
import type { SenseDatabase } from "nerve";
import { round } from "nerve/proc";
import { samples } from "./schema.ts";

const HOUR_MS = 3_600_000;
/** Fewer samples, or a shorter time, are no trend. */
const FEWEST_SAMPLES = 5;
const SHORTEST_HOURS = 0.25;
/** What takes longer than a year is no news. */
const LONGEST_HOURS = 8_760;

/** The sums of a regression of available bytes over hours before `now`. */
interface Sums {
  readonly path: string;
  readonly n: number;
  readonly span: number;
  readonly x: number;
  readonly y: number;
  readonly xx: number;
  readonly xy: number;
}

/** Path → bytes by which what is available shrinks in an hour, negative where it grows. Paths without a trend are left out. */
export function shrinkage(db: SenseDatabase, now: number, windowMs: number): ReadonlyMap<string, number> {
  const hours = sql<number>`CAST(${samples.at} - ${now} AS REAL) / ${HOUR_MS}`;
  const bytes = sql<number>`CAST(${samples.available_bytes} AS REAL)`;
  const rows: readonly Sums[] = db
    .select({
      path: samples.path,
      n: sql<number>`count(*)`,
      span: sql<number>`max(${hours}) - min(${hours})`,
      x: sql<number>`sum(${hours})`,
      y: sql<number>`sum(${bytes})`,
      xx: sql<number>`sum(${hours} * ${hours})`,
      xy: sql<number>`sum(${hours} * ${bytes})`,
    })
    .from(samples)
    .where(gte(samples.at, now - windowMs))
    .groupBy(samples.path)
    .all();
  return new Map(
    rows
      .filter(({ n, span }) => n >= FEWEST_SAMPLES && span >= SHORTEST_HOURS)
      .map(({ path, n, x, y, xx, xy }) => [path, -(n * xy - x * y) / (n * xx - x * x)]),
  );
}

/** Null where it does not shrink, or so slowly that it takes more than a year. */
export function hoursToFull(availableBytes: number, bytesAnHour: number | undefined): number | null {
  if (bytesAnHour === undefined || bytesAnHour <= 0) return null;
  const hours = availableBytes / bytesAnHour;
  return hours > LONGEST_HOURS ? null : round(hours);
}

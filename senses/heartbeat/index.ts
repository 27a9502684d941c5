/** Whether a job of cron or a backup starts and ends as it should: its exit code, how long it took, and whether its end is late. */
import { notBetween } from "drizzle-orm";
import { type Compute, type SenseDatabase, type Series, signals } from "nerve";
import { CHECK_PAYLOAD } from "nerve/checks";
import { duration, type Infer, orNull, record } from "nerve/options";
import { declaration } from "nerve/payload";
import { afterItem, afterTime, type Beat, type Job, UNKNOWN } from "./beat.ts";
import { job, samples } from "./schema.ts";

export const options = record({
  // From when on an end that does not come is late; an interval of the sense looks at it.
  max_duration: orNull(duration("1h", { min: "1s", max: "30d" })),
  keep: duration("90d", { min: "1m", max: "3650d" }),
});

type Options = Infer<typeof options>;

const TIME = "number.integer | null";
const COUNT = "number.integer >= 0 | null";

export const payload = declaration({
  state: "'running' | 'success' | 'fail' | 'late'",
  ...CHECK_PAYLOAD,
  at: "number.integer",
  started_at: TIME,
  duration_ms: COUNT,
  exit_code: COUNT,
  output: "string | null",
});

export const series: Series = { table: "samples", at: "at", numbers: { duration_ms: "ms", failures: null } };

export const compute: Compute<Options> = (db, _peers, { options: { max_duration, keep }, inbox, now, log }) => {
  const known = db.select().from(job).get();
  let current: Job = known ?? UNKNOWN;
  const beats: Beat[] = [];
  for (const item of inbox) {
    const { job: next, beat } = afterItem(current, item);
    if (item.type === "log") log("info", "the job says", item.body);
    if (beat !== null) beats.push(beat);
    current = next;
  }
  const { job: next, beat } = afterTime(current, Date.now(), max_duration);
  if (beat !== null) beats.push(beat);
  if (beats.length === 0) return null;

  db.delete(job).run();
  db.insert(job).values(next).run();
  keepSamples(db, beats, now, keep);
  return signals(beats);
};

function keepSamples(db: SenseDatabase, beats: readonly Beat[], now: number, keepMs: number): void {
  for (const { at, state, exit_code, duration_ms, failures } of beats) {
    const row = { at, state, exit_code, duration_ms, failures };
    const { id } = db.insert(samples).values(row).returning({ id: samples.id }).get();
    const outdated = notBetween(samples.at, now - keepMs, now + keepMs);
    if (id % 100 === 0) db.delete(samples).where(outdated).run();
  }
}

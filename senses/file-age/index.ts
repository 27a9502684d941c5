/** How old and how large the newest file of a path is: whether a backup came, and whether there is something in it. */
import { desc, notBetween } from "drizzle-orm";
import type { Compute, Series } from "nerve";
import { CHECK_PAYLOAD, inARow } from "nerve/checks";
import { duration, type Infer, record, text, where, whole } from "nerve/options";
import { declaration } from "nerve/payload";
import { type FoundFile, filesOf } from "nerve/sources";
import { samples } from "./schema.ts";
import { usualBytes } from "./usual.ts";

export const options = record({
  // `*` stands for any run of characters within a name.
  path: where(
    text(),
    (path) => !path.includes("**"),
    "have no `**`: one `*` stands for any name of a file or a folder",
  ),
  max_age: duration("25h", { min: "1s", max: "3650d" }),
  min_bytes: whole(1, { min: 0, max: Number.MAX_SAFE_INTEGER }),
  // The least part of the usual size; 0 for any size.
  min_percent: whole(50, { min: 0, max: 100 }),
  keep: duration("90d", { min: "1m", max: "3650d" }),
});

type Options = Infer<typeof options>;

const COUNT = "number.integer >= 0";

export const payload = declaration({
  path: "string",
  ...CHECK_PAYLOAD,
  files: COUNT,
  total_bytes: COUNT,
  newest: "string | null",
  age_s: "number >= 0 | null",
  bytes: `${COUNT} | null`,
  usual_bytes: `${COUNT} | null`,
});

/** A file that was changed so lately may still be written. */
const SETTLED_MS = 60_000;
/** The clocks of two hosts differ by less. */
const AHEAD_MS = 300_000;

export const series: Series = {
  table: "samples",
  at: "at",
  by: "path",
  numbers: { age_s: "seconds", bytes: "bytes", failures: null },
};

export const compute: Compute<Options> = async (db, _peers, { options: given, signal, now }) => {
  const files = await filesOf(given.path, signal);
  const today = Date.now();
  const newest = files.reduce<FoundFile | null>(
    (best, file) => (best && best.changed_at >= file.changed_at ? best : file),
    null,
  );
  const ageMs = newest === null ? null : Math.max(0, today - newest.changed_at);
  const isSettled = ageMs !== null && ageMs >= SETTLED_MS;
  const usual = newest === null || !isSettled ? null : usualBytes(db, given.path, newest);
  const aheadMs = newest === null ? 0 : newest.changed_at - today;
  const reason = judge(newest, ageMs, aheadMs, isSettled, usual, given);

  const last = db.select().from(samples).orderBy(desc(samples.id)).limit(1).get();
  const found = {
    path: given.path,
    ok: reason === null,
    reason,
    ...inARow(last?.path === given.path ? last : undefined, reason === null),
    age_s: ageMs === null ? null : Math.round(ageMs / 1000),
    bytes: newest?.bytes ?? null,
  };
  const { id } = db
    .insert(samples)
    .values({ at: now, ...found })
    .returning({ id: samples.id })
    .get();
  const outdated = notBetween(samples.at, now - given.keep, now + given.keep);
  if (id % 100 === 0) db.delete(samples).where(outdated).run();

  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  return { ...found, files: files.length, total_bytes: total, newest: newest?.path ?? null, usual_bytes: usual };
};

/** Why the newest file is not well, or null. */
function judge(
  newest: FoundFile | null,
  ageMs: number | null,
  aheadMs: number,
  isSettled: boolean,
  usual: number | null,
  { max_age, min_bytes, min_percent }: Options,
): string | null {
  if (newest === null || ageMs === null) return "there is no such file";
  if (aheadMs > AHEAD_MS) return `the newest file was changed ${hours(aheadMs)} from now: a clock was wrong, or is`;
  if (ageMs > max_age) return `the newest file is ${hours(ageMs)} old, and may be ${hours(max_age)}`;
  // A file that is being written grows.
  if (!isSettled) return null;
  if (newest.bytes < min_bytes) return `the newest file has ${newest.bytes} bytes, and should have ${min_bytes}`;
  if (usual === null || newest.bytes >= (usual * min_percent) / 100) return null;
  return `the newest file has ${newest.bytes} bytes, less than ${min_percent} % of the usual ${usual}`;
}

const hours = (ms: number): string => {
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  const minutes = Math.round(ms / 60_000);
  return minutes < 60
    ? `${minutes} min`
    : minutes < 2_880
      ? `${Math.round(minutes / 6) / 10} h`
      : `${Math.round(minutes / 1_440)} d`;
};

/** How full every real file system of this host is, found by itself, and in how many hours it is full. */
import { statfs } from "node:fs/promises";
import { notBetween } from "drizzle-orm";
import type { Compute, Series } from "nerve";
import { fullness } from "nerve/fullness";
import { isChosen } from "nerve/glob";
import { duration, type Infer, record, words } from "nerve/options";
import { declaration } from "nerve/payload";
import { hostRoot } from "nerve/proc";
import { lacking } from "nerve/sources";
import { hoursToFull, shrinkage } from "./forecast.ts";
import { type Mount, readMounts } from "./mounts.ts";
import { samples } from "./schema.ts";

export const options = record({
  // Paths of mounts, with `*` for anything.
  only: words(["*"]),
  except: words([]),
  // What `hours_to_full` follows from.
  window: duration("3h", { min: "15m", max: "7d" }),
  keep: duration("7d", { min: "1h", max: "90d" }),
});

const COUNT = "number.integer >= 0";
const PERCENT = "0 <= number <= 100 | null";

export const payload = declaration({
  mounts: [
    {
      path: "string",
      device: "string",
      type: "string",
      read_only: "boolean",
      total_bytes: COUNT,
      used_bytes: COUNT,
      available_bytes: COUNT,
      used_percent: PERCENT,
      inodes_used_percent: PERCENT,
      hours_to_full: "number >= 0 | null",
    },
    "[]",
  ],
  more: COUNT,
});

/** More are counted, and not looked at: a payload has 64 KiB. */
const LONGEST_LIST = 150;

export const series: Series = {
  table: "samples",
  at: "at",
  by: "path",
  numbers: { used_percent: "percent", inodes_used_percent: "percent", used_bytes: "bytes", available_bytes: "bytes" },
};

export const compute: Compute<Infer<typeof options>> = async (db, _peers, { options: given, now, log, signal }) => {
  const chosen = readMounts().filter(({ path }) => isChosen(path, given.only, given.except));
  if (chosen.length === 0) {
    return lacking(
      db,
      log,
      "no real file system is mounted here that `only` and `except` choose: there is nothing to see",
    );
  }
  const looks = await Promise.all(chosen.slice(0, LONGEST_LIST).map(look));
  signal.throwIfAborted();
  const found = looks.filter((one) => one !== null);

  for (const { path, total_bytes, used_bytes, available_bytes, used_percent, inodes_used_percent } of found) {
    const row = { at: now, path, total_bytes, used_bytes, available_bytes, used_percent, inodes_used_percent };
    db.insert(samples).values(row).run();
  }
  db.delete(samples)
    .where(notBetween(samples.at, now - given.keep, now + given.keep))
    .run();

  const lost = shrinkage(db, now, given.window);
  const mounts = found.map((one) => ({ ...one, hours_to_full: hoursToFull(one.available_bytes, lost.get(one.path)) }));
  return { mounts, more: Math.max(0, chosen.length - LONGEST_LIST) };
};

/** Null where it is gone, or where nerve's user may not go. */
async function look({ path, device, type, read_only }: Mount) {
  const found = await statfs(`${hostRoot()}${path}`).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "EACCES") return null;
    throw error;
  });
  if (found === null) return null;
  const { total_bytes, used_bytes, available_bytes, used_percent, inodes_used_percent } = fullness(found);
  const sizes = { total_bytes, used_bytes, available_bytes, used_percent, inodes_used_percent };
  return { path, device, type, read_only, ...sizes };
}

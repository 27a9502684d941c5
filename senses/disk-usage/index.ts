/** How full the file system at one path is, in bytes and in inodes. */
import { statfs } from "node:fs/promises";
import { notBetween } from "drizzle-orm";
import type { Compute, Series } from "nerve";
import { fullness } from "nerve/fullness";
import { duration, type Infer, record, text, where } from "nerve/options";
import { declaration } from "nerve/payload";
import { samples } from "./schema.ts";

export const options = record({
  path: where(text("/"), (path) => path.startsWith("/"), "be an absolute path"),
  keep: duration("7d", { min: "1m", max: "90d" }),
});

const COUNT = "number.integer >= 0";
const PERCENT = "0 <= number <= 100 | null";

export const payload = declaration({
  path: "string",
  total_bytes: COUNT,
  used_bytes: COUNT,
  available_bytes: COUNT,
  used_percent: PERCENT,
  inodes_total: COUNT,
  inodes_used: COUNT,
  inodes_used_percent: PERCENT,
});

export const series: Series = {
  table: "samples",
  at: "at",
  by: "path",
  numbers: {
    used_percent: "percent",
    inodes_used_percent: "percent",
    used_bytes: "bytes",
    available_bytes: "bytes",
  },
};

export const compute: Compute<Infer<typeof options>> = async (db, _peers, { options: { path, keep }, now }) => {
  // Not statfsSync: a file server that has gone away should time this sense out, not hold up its whole group.
  const disk = { path, ...fullness(await statfs(path)) };

  const sample = { at: now, ...disk };
  const { id } = db.insert(samples).values(sample).returning({ id: samples.id }).get();
  const outdated = notBetween(samples.at, now - keep, now + keep);
  if (id % 100 === 0) db.delete(samples).where(outdated).run();

  return disk;
};

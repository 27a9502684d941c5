/** How much memory and swap is in use, from /proc/meminfo. */
import { notBetween } from "drizzle-orm";
import type { Compute, Series } from "nerve";
import { duration, type Infer, record } from "nerve/options";
import { declaration } from "nerve/payload";
import { readProc } from "nerve/proc";
import { parseMeminfo } from "./meminfo.ts";
import { samples } from "./schema.ts";

export const options = record({ keep: duration("1h", { min: "1m", max: "7d" }) });

const BYTES = "number.integer >= 0";
const PERCENT = "0 <= number <= 100";

export const payload = declaration({
  total_bytes: BYTES,
  available_bytes: BYTES,
  used_bytes: BYTES,
  used_percent: PERCENT,
  free_bytes: `${BYTES} | null`,
  cached_bytes: `${BYTES} | null`,
  dirty_bytes: `${BYTES} | null`,
  swap_total_bytes: BYTES,
  swap_used_bytes: BYTES,
  swap_used_percent: `${PERCENT} | null`,
});

export const series: Series = {
  table: "samples",
  at: "at",
  numbers: {
    used_percent: "percent",
    swap_used_percent: "percent",
    available_bytes: "bytes",
    swap_used_bytes: "bytes",
  },
};

export const compute: Compute<Infer<typeof options>> = (db, _peers, { options: { keep }, now }) => {
  const memory = parseMeminfo(readProc("/proc/meminfo"));

  const sample = { at: now, ...memory };
  const { id } = db.insert(samples).values(sample).returning({ id: samples.id }).get();
  const outdated = notBetween(samples.at, now - keep, now + keep);
  if (id % 100 === 0) db.delete(samples).where(outdated).run();

  return memory;
};

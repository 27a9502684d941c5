/** How busy the processors were since the last compute, from the tick counters of /proc/stat. */
import { notBetween } from "drizzle-orm";
import type { Compute, Series } from "nerve";
import { duration, flag, type Infer, record } from "nerve/options";
import { declaration } from "nerve/payload";
import { bootId, readProc } from "nerve/proc";
import { busyness, parseStat } from "./proc-stat.ts";
import { counters, samples } from "./schema.ts";

export const options = record({
  per_core: flag(false),
  keep: duration("1h", { min: "1m", max: "7d" }),
});

const PERCENT = "0 <= number <= 100";

export const payload = declaration<Infer<typeof options>>(({ per_core }) => ({
  usage_percent: PERCENT,
  user_percent: PERCENT,
  system_percent: PERCENT,
  iowait_percent: PERCENT,
  irq_percent: PERCENT,
  steal_percent: PERCENT,
  ...(per_core ? { per_core_percent: { "[string]": PERCENT } } : {}),
}));

export const series: Series = {
  table: "samples",
  at: "at",
  numbers: {
    usage_percent: "percent",
    user_percent: "percent",
    system_percent: "percent",
    iowait_percent: "percent",
    irq_percent: "percent",
    steal_percent: "percent",
  },
};

export const compute: Compute<Infer<typeof options>> = (db, _peers, { options: { per_core, keep }, now }) => {
  const current = { boot_id: bootId(), ticks: parseStat(readProc("/proc/stat"), per_core) };
  const previous = db.select().from(counters).get();
  if (previous) db.update(counters).set(current).run();
  else db.insert(counters).values(current).run();

  const usage = previous?.boot_id === current.boot_id ? busyness(previous.ticks, current.ticks) : null;
  if (usage === null) return null;

  const sample = { at: now, ...usage.all };
  const { id } = db.insert(samples).values(sample).returning({ id: samples.id }).get();
  const outdated = notBetween(samples.at, now - keep, now + keep);
  if (id % 100 === 0) db.delete(samples).where(outdated).run();

  return per_core ? { ...usage.all, per_core_percent: usage.per_core_percent } : usage.all;
};

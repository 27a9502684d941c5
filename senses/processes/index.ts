/** How many processes there are, in which states, which take the most, and whether the ones you name are there. */
import { notBetween } from "drizzle-orm";
import type { Compute, Series } from "nerve";
import { duration, type Infer, mapping, record, whole } from "nerve/options";
import { type Definition, declaration } from "nerve/payload";
import { instant, pageBytes, secondsBetween } from "nerve/proc";
import { census, watch } from "./census.ts";
import { readProcesses } from "./pid-stat.ts";
import { counters, samples } from "./schema.ts";
import { consumption, ticksByProcess, topByCpu, topByMemory } from "./top.ts";

export const options = record({
  top: whole(5, { min: 0, max: 50 }),
  // A label → the name or the whole command line, `*` for anything.
  watch: mapping(),
  keep: duration("1h", { min: "1m", max: "7d" }),
});

const COUNT = "number.integer >= 0";

export const payload = declaration<Infer<typeof options>>(({ top, watch: patterns }) => ({
  visible: "'all' | 'own'",
  total: `${COUNT} | null`,
  threads: `${COUNT} | null`,
  running: `${COUNT} | null`,
  sleeping: `${COUNT} | null`,
  blocked: `${COUNT} | null`,
  idle: `${COUNT} | null`,
  stopped: `${COUNT} | null`,
  zombie: `${COUNT} | null`,
  ...(Object.keys(patterns).length === 0 ? {} : { watched: watchedPayload(Object.keys(patterns)) }),
  ...(top === 0 ? {} : TOP),
}));

const watchedPayload = (labels: readonly string[]): Definition =>
  Object.fromEntries(labels.map((label) => [label, { count: `${COUNT} | null`, rss_bytes: `${COUNT} | null` }]));

const TOP: Record<string, Definition> = {
  top_cpu: [[{ pid: COUNT, name: "string", cpu_percent: "number >= 0" }, "[]"], "|", "null"],
  top_memory: [{ pid: COUNT, name: "string", rss_bytes: COUNT }, "[]"],
};

export const series: Series = {
  table: "samples",
  at: "at",
  numbers: {
    total: null,
    threads: null,
    running: null,
    blocked: null,
    zombie: null,
  },
};

export const compute: Compute<Infer<typeof options>> = (
  db,
  _peers,
  { options: { top, watch: patterns, keep }, now },
) => {
  const watching = Object.keys(patterns).length > 0;
  const processes = readProcesses(watching);
  const found = {
    ...census(processes),
    ...(watching ? { watched: watch(processes, patterns, pageBytes()) } : {}),
  };
  const sample = { at: now, ...found };
  const { id } = db.insert(samples).values(sample).returning({ id: samples.id }).get();
  const outdated = notBetween(samples.at, now - keep, now + keep);
  if (id % 100 === 0) db.delete(samples).where(outdated).run();

  if (top === 0) return found;

  const current = { ...instant(), ticks: ticksByProcess(processes) };
  const previous = db.select().from(counters).get();
  const seconds = previous ? secondsBetween(previous, current) : "rebooted";
  if (seconds !== "too-soon") {
    if (previous) db.update(counters).set(current).run();
    else db.insert(counters).values(current).run();
  }
  const used = previous && typeof seconds === "number" ? consumption(processes, previous, seconds) : null;
  return {
    ...found,
    top_cpu: used && topByCpu(used, top),
    top_memory: topByMemory(processes, top, pageBytes()),
  };
};

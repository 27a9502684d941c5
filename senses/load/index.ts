/** The run queue's averages, from /proc/loadavg, and how they compare with the number of processors. */
import { availableParallelism } from "node:os";
import { notBetween } from "drizzle-orm";
import type { Compute, Series } from "nerve";
import { duration, type Infer, record } from "nerve/options";
import { declaration } from "nerve/payload";
import { readProc } from "nerve/proc";
import { countCores, parseLoad } from "./loadavg.ts";
import { samples } from "./schema.ts";

export const options = record({ keep: duration("1h", { min: "1m", max: "7d" }) });

const LOAD = "number >= 0";

export const payload = declaration({
  load1: LOAD,
  load5: LOAD,
  load15: LOAD,
  load1_per_core: LOAD,
  load5_per_core: LOAD,
  load15_per_core: LOAD,
  cores: "number.integer >= 1",
  runnable_threads: "number.integer >= 0",
  threads: "number.integer >= 0",
});

export const series: Series = {
  table: "samples",
  at: "at",
  numbers: {
    load1: null,
    load5: null,
    load15: null,
    load1_per_core: null,
    load5_per_core: null,
    load15_per_core: null,
  },
};

export const compute: Compute<Infer<typeof options>> = (db, _peers, { options: { keep }, now }) => {
  const cores = countCores(readOnline()) ?? availableParallelism();
  const load = parseLoad(readProc("/proc/loadavg"), cores);

  const sample = { at: now, ...load };
  const { id } = db.insert(samples).values(sample).returning({ id: samples.id }).get();
  const outdated = notBetween(samples.at, now - keep, now + keep);
  if (id % 100 === 0) db.delete(samples).where(outdated).run();

  return load;
};

/** The kernel's list of processors; empty where /sys is not there, as in some containers. */
function readOnline(): string {
  try {
    return readProc("/sys/devices/system/cpu/online");
  } catch {
    return "";
  }
}

/** How much time tasks lose waiting for processors, memory and disks: pressure stall information, /proc/pressure. */
import { notBetween } from "drizzle-orm";
import type { Compute } from "nerve";
import { duration, type Infer, record } from "nerve/options";
import { readProc } from "nerve/proc";
import { parsePressure } from "./psi.ts";
import { samples } from "./schema.ts";

export const options = record({ keep: duration("1h", { min: "1m", max: "7d" }) });

export const compute: Compute<Infer<typeof options>> = (db, _peers, { options: { keep }, now }) => {
  const pressure = {
    ...parsePressure("cpu", readProc("/proc/pressure/cpu")),
    ...parsePressure("memory", readProc("/proc/pressure/memory")),
    ...parsePressure("io", readProc("/proc/pressure/io")),
  };

  const sample = { at: now, ...pressure };
  const { id } = db.insert(samples).values(sample).returning({ id: samples.id }).get();
  const outdated = notBetween(samples.at, now - keep, now + keep);
  if (id % 100 === 0) db.delete(samples).where(outdated).run();

  return pressure;
};

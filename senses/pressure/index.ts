/** How much time tasks lose waiting for processors, memory and disks: pressure stall information, /proc/pressure. */
import { notBetween } from "drizzle-orm";
import type { Compute, Series } from "nerve";
import { duration, type Infer, record } from "nerve/options";
import { declaration } from "nerve/payload";
import { readProc } from "nerve/proc";
import { parsePressure } from "./psi.ts";
import { samples } from "./schema.ts";

export const options = record({ keep: duration("1h", { min: "1m", max: "7d" }) });

/** Of one resource, such as `cpu`. */
const shares = (resource: string): Record<string, string> =>
  Object.fromEntries(
    ["some_avg10", "some_avg60", "some_avg300", "full_avg10", "full_avg60", "full_avg300"].map((share) => [
      `${resource}_${share}_percent`,
      "0 <= number <= 100 | null",
    ]),
  );

export const payload = declaration({ ...shares("cpu"), ...shares("memory"), ...shares("io") });

export const series: Series = {
  table: "samples",
  at: "at",
  numbers: {
    cpu_some_avg10_percent: "percent",
    cpu_some_avg60_percent: "percent",
    memory_some_avg10_percent: "percent",
    memory_some_avg60_percent: "percent",
    memory_full_avg60_percent: "percent",
    io_some_avg10_percent: "percent",
    io_some_avg60_percent: "percent",
    io_full_avg60_percent: "percent",
  },
};

export const compute: Compute<Infer<typeof options>> = (db, _peers, { options: { keep }, now }) => {
  const [cpu = null, memory = null, io = null] = readPressure();
  const pressure = {
    ...parsePressure("cpu", cpu),
    ...parsePressure("memory", memory),
    ...parsePressure("io", io),
  };

  const sample = { at: now, ...pressure };
  const { id } = db.insert(samples).values(sample).returning({ id: samples.id }).get();
  const outdated = notBetween(samples.at, now - keep, now + keep);
  if (id % 100 === 0) db.delete(samples).where(outdated).run();

  return pressure;
};

/** The files that can be read. Throws where there is none. */
function readPressure(): (string | null)[] {
  let refusal: unknown = null;
  const texts = ["cpu", "memory", "io"].map((resource) => {
    try {
      return readProc(`/proc/pressure/${resource}`);
    } catch (error) {
      refusal ??= error;
      return null;
    }
  });
  if (texts.every((text) => text === null)) throw refusal;
  return texts;
}

/** How much memory and swap is in use, from /proc/meminfo. */
import { notBetween } from "drizzle-orm";
import type { Compute } from "nerve";
import { duration, type Infer, record } from "../options.ts";
import { readProc } from "../proc.ts";
import { parseMeminfo } from "./meminfo.ts";
import { samples } from "./schema.ts";

export const options = record({ keep: duration("1h", { min: "1m", max: "7d" }) });

export const compute: Compute<Infer<typeof options>> = (db, _peers, { options: { keep }, now }) => {
  const memory = parseMeminfo(readProc("/proc/meminfo"));

  const { id } = db
    .insert(samples)
    .values({ at: now, ...memory })
    .returning({ id: samples.id })
    .get();
  if (id % 100 === 0)
    db.delete(samples)
      .where(notBetween(samples.at, now - keep, now + keep))
      .run();

  return memory;
};

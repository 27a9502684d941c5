/** What every disk read and wrote since the last compute, and how long that took, from /proc/diskstats. */
import { notBetween } from "drizzle-orm";
import type { Compute, Series } from "nerve";
import { isChosen } from "nerve/glob";
import { duration, flag, type Infer, record, words } from "nerve/options";
import { declaration } from "nerve/payload";
import { instant, readProc, secondsBetween } from "nerve/proc";
import { isPartition, parseDiskstats, rates, summary } from "./diskstats.ts";
import { counters, samples } from "./schema.ts";

export const options = record({
  devices: words(["*"]),
  // What is no disk, and what lies on other disks and would be counted twice.
  except: words([
    ...["loop*", "ram*", "zram*", "sr*", "fd*"],
    ...["dm-*", "md*", "bcache*", "drbd*", "zd*"],
    // Paths of a disk that is there as nvme0n1, too.
    "nvme*c*n*",
  ]),
  partitions: flag(false),
  keep: duration("1h", { min: "1m", max: "7d" }),
});

const RATE = "number >= 0";

export const payload = declaration({
  seconds: "number > 0",
  read_bytes_per_second: `${RATE} | null`,
  write_bytes_per_second: `${RATE} | null`,
  reads_per_second: `${RATE} | null`,
  writes_per_second: `${RATE} | null`,
  devices: {
    "[string]": {
      read_bytes_per_second: RATE,
      write_bytes_per_second: RATE,
      reads_per_second: RATE,
      writes_per_second: RATE,
      read_latency_ms: `${RATE} | null`,
      write_latency_ms: `${RATE} | null`,
      busy_percent: "0 <= number <= 100",
      queue_length: RATE,
      in_flight: "number.integer >= 0",
    },
  },
  devices_omitted: "number.integer >= 0",
  devices_reset: "number.integer >= 0",
});

export const series: Series = {
  table: "samples",
  at: "at",
  numbers: {
    read_bytes_per_second: "bytes_per_second",
    write_bytes_per_second: "bytes_per_second",
    reads_per_second: "per_second",
    writes_per_second: "per_second",
  },
};

export const compute: Compute<Infer<typeof options>> = (
  db,
  _peers,
  { options: { devices: only, except, partitions, keep }, now },
) => {
  const all = parseDiskstats(readProc("/proc/diskstats"));
  const devices = Object.fromEntries(
    Object.entries(all).filter(([name]) => isChosen(name, only, except) && (partitions || !isPartition(name, all))),
  );
  const current = { ...instant(), devices };

  const previous = db.select().from(counters).get();
  const seconds = previous ? secondsBetween(previous, current) : "rebooted";
  if (seconds === "too-soon") return null;
  if (previous) db.update(counters).set(current).run();
  else db.insert(counters).values(current).run();

  if (!previous || seconds === "rebooted") return null;
  const found = summary(rates(previous.devices, devices, seconds), seconds);

  const sample = { at: now, ...found };
  const { id } = db.insert(samples).values(sample).returning({ id: samples.id }).get();
  const outdated = notBetween(samples.at, now - keep, now + keep);
  if (id % 100 === 0) db.delete(samples).where(outdated).run();

  return found;
};

/** What every network interface received and sent since the last compute, from /proc/net/dev. */
import { notBetween } from "drizzle-orm";
import type { Compute, Series } from "nerve";
import { isChosen } from "nerve/glob";
import { duration, type Infer, record, words } from "nerve/options";
import { declaration } from "nerve/payload";
import { instant, listProc, readProc, secondsBetween } from "nerve/proc";
import { type Interfaces, parseNetDev, rates, summary } from "./net-dev.ts";
import { counters, samples } from "./schema.ts";

export const options = record({
  interfaces: words(["*"]),
  // What carries nothing off the host, or carries again what another interface has counted.
  except: words(["lo", "veth*", "docker*", "br-*", "virbr*", "cni*", "cali*", "flannel*", "ifb*", "dummy*"]),
  keep: duration("1h", { min: "1m", max: "7d" }),
});

const RATE = "number >= 0";

export const payload = declaration({
  seconds: "number > 0",
  rx_bytes_per_second: `${RATE} | null`,
  tx_bytes_per_second: `${RATE} | null`,
  rx_errors_per_second: `${RATE} | null`,
  tx_errors_per_second: `${RATE} | null`,
  interfaces: {
    "[string]": {
      rx_bytes_per_second: RATE,
      rx_packets_per_second: RATE,
      rx_errors_per_second: RATE,
      rx_dropped_per_second: RATE,
      tx_bytes_per_second: RATE,
      tx_packets_per_second: RATE,
      tx_errors_per_second: RATE,
      tx_dropped_per_second: RATE,
    },
  },
  interfaces_omitted: "number.integer >= 0",
  interfaces_reset: "number.integer >= 0",
});

export const series: Series = {
  table: "samples",
  at: "at",
  numbers: {
    rx_bytes_per_second: "bytes_per_second",
    tx_bytes_per_second: "bytes_per_second",
    rx_errors_per_second: "per_second",
    tx_errors_per_second: "per_second",
  },
};

export const compute: Compute<Infer<typeof options>> = (
  db,
  _peers,
  { options: { interfaces: only, except, keep }, now },
) => {
  const all = parseNetDev(readProc("/proc/net/dev"));
  const interfaces = Object.fromEntries(Object.entries(all).filter(([name]) => isChosen(name, only, except)));
  const current = { ...instant(), interfaces };

  const previous = db.select().from(counters).get();
  const seconds = previous ? secondsBetween(previous, current) : "rebooted";
  if (seconds === "too-soon") return null;
  if (previous) db.update(counters).set(current).run();
  else db.insert(counters).values(current).run();

  if (!previous || seconds === "rebooted") return null;
  const found = summary(rates(previous.interfaces, interfaces, seconds), seconds, stackedOn(interfaces));

  const sample = { at: now, ...found };
  const { id } = db.insert(samples).values(sample).returning({ id: samples.id }).get();
  const outdated = notBetween(samples.at, now - keep, now + keep);
  if (id % 100 === 0) db.delete(samples).where(outdated).run();

  return found;
};

/** Bonds, bridges, VLANs and the like that lie on another one of these. */
const stackedOn = (interfaces: Interfaces): ReadonlySet<string> =>
  new Set(
    Object.keys(interfaces).filter((name) =>
      listProc(`/sys/class/net/${name}`).some(
        (entry) => entry.startsWith("lower_") && Object.hasOwn(interfaces, entry.slice("lower_".length)),
      ),
    ),
  );

/** What every network interface received and sent since the last compute, from /proc/net/dev. */
import type { Compute } from "nerve";
import { isChosen } from "nerve/glob";
import { type Infer, record, words } from "nerve/options";
import { declaration } from "nerve/payload";
import { instant, listProc, readProc, secondsBetween } from "nerve/proc";
import { type Interfaces, parseNetDev, rates, summary } from "./net-dev.ts";
import { counters } from "./schema.ts";

export const options = record({
  interfaces: words(["*"]),
  // What carries nothing off the host, or carries again what another interface has counted.
  except: words(["lo", "veth*", "docker*", "br-*", "virbr*", "cni*", "cali*", "flannel*", "ifb*", "dummy*"]),
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

export const compute: Compute<Infer<typeof options>> = (db, _peers, { options: { interfaces: only, except } }) => {
  const all = parseNetDev(readProc("/proc/net/dev"));
  const interfaces = Object.fromEntries(Object.entries(all).filter(([name]) => isChosen(name, only, except)));
  const current = { ...instant(), interfaces };

  const previous = db.select().from(counters).get();
  const seconds = previous ? secondsBetween(previous, current) : "rebooted";
  if (seconds === "too-soon") return null;
  if (previous) db.update(counters).set(current).run();
  else db.insert(counters).values(current).run();

  return previous && seconds !== "rebooted"
    ? summary(rates(previous.interfaces, interfaces, seconds), seconds, stackedOn(interfaces))
    : null;
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

/** /proc/net/dev (proc_pid_net(5)), and what two readings of it show. */
import { growth, own, round } from "nerve/proc";

/** Counters of one interface since it appeared. */
export interface Interface {
  readonly rx_bytes: number;
  readonly rx_packets: number;
  readonly rx_errors: number;
  readonly rx_dropped: number;
  readonly tx_bytes: number;
  readonly tx_packets: number;
  readonly tx_errors: number;
  readonly tx_dropped: number;
}

export type Interfaces = Readonly<Record<string, Interface>>;

/** Columns after the name. */
const FIELDS = 16;

export function parseNetDev(text: string): Interfaces {
  const interfaces: [string, Interface][] = [];
  for (const line of text.split("\n").slice(2)) {
    // A name may hold a colon (an alias), and a wide counter leaves no space after it.
    const colon = line.lastIndexOf(":");
    if (colon < 0) continue;
    const fields = line
      .slice(colon + 1)
      .trim()
      .split(/ +/)
      .map(Number);
    if (fields.length < FIELDS || fields.some(Number.isNaN)) continue;
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0] = fields;
    const [txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = fields.slice(8);
    interfaces.push([
      line.slice(0, colon).trim(),
      {
        rx_bytes: rxBytes,
        rx_packets: rxPackets,
        rx_errors: rxErrors,
        rx_dropped: rxDropped,
        tx_bytes: txBytes,
        tx_packets: txPackets,
        tx_errors: txErrors,
        tx_dropped: txDropped,
      },
    ]);
  }
  return Object.fromEntries(interfaces);
}

export type InterfaceRates = Readonly<Record<`${keyof Interface}_per_second`, number>>;

export interface Rates {
  /** Of the interfaces that were there both times, and whose counters did not begin anew. */
  readonly interfaces: Readonly<Record<string, InterfaceRates>>;
  /** Interfaces whose counters began anew. */
  readonly reset: number;
}

export function rates(before: Interfaces, after: Interfaces, seconds: number): Rates {
  const found: [string, InterfaceRates][] = [];
  let reset = 0;
  for (const [name, counters] of Object.entries(after)) {
    const earlier = own(before, name);
    if (!earlier) continue;
    const each = ratesOf(earlier, counters, seconds);
    if (each === null) reset++;
    else found.push([name, each]);
  }
  return { interfaces: Object.fromEntries(found), reset };
}

/** When an interface begins anew, these counters do. Some drivers correct the others, errors and drops. */
const TRAFFIC: ReadonlySet<string> = new Set(["rx_bytes", "rx_packets", "tx_bytes", "tx_packets"]);

/** Null when the counters began anew. */
function ratesOf(before: Interface, after: Interface, seconds: number): InterfaceRates | null {
  const kinds = Object.keys(after) as (keyof Interface)[];
  const grown = kinds.map((kind) => [kind, growth(before[kind], after[kind])] as const);
  if (grown.some(([kind, by]) => by === null && TRAFFIC.has(kind))) return null;
  return Object.fromEntries(
    grown.map(([kind, by]) => [`${kind}_per_second`, round((by ?? 0) / seconds)]),
  ) as InterfaceRates;
}

/** The busiest interfaces are shown: with hundreds of them a payload would pass its 64 KiB. */
const MOST_SHOWN = 100;

type Summed = "rx_bytes_per_second" | "tx_bytes_per_second" | "rx_errors_per_second" | "tx_errors_per_second";

export interface NetworkIo extends Readonly<Record<Summed, number | null>> {
  readonly seconds: number;
  readonly interfaces: Readonly<Record<string, InterfaceRates>>;
  readonly interfaces_omitted: number;
  readonly interfaces_reset: number;
}

/**
 * The payload. The sums are of all interfaces, shown or not, but for those of `stacked`, which carry again what others have
 * counted; null where there is none.
 */
export function summary({ interfaces, reset }: Rates, seconds: number, stacked: ReadonlySet<string>): NetworkIo {
  const every = Object.entries(interfaces);
  const counted = every.filter(([name]) => !stacked.has(name));
  const sum = (key: Summed): number | null =>
    counted.length === 0 ? null : round(counted.reduce((total, [, each]) => total + each[key], 0));
  const shown = every
    .filter(([name]) => name !== "__proto__")
    .sort(([, a], [, b]) => traffic(b) - traffic(a))
    .slice(0, MOST_SHOWN);
  return {
    seconds,
    rx_bytes_per_second: sum("rx_bytes_per_second"),
    tx_bytes_per_second: sum("tx_bytes_per_second"),
    rx_errors_per_second: sum("rx_errors_per_second"),
    tx_errors_per_second: sum("tx_errors_per_second"),
    interfaces: Object.fromEntries(shown),
    interfaces_omitted: every.length - shown.length,
    interfaces_reset: reset,
  };
}

const traffic = (each: InterfaceRates): number => each.rx_bytes_per_second + each.tx_bytes_per_second;

/** /proc/net/dev (proc_pid_net(5)), and what two readings of it say. */
import { round } from "nerve/proc";

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

export function parseNetDev(text: string): Interfaces {
  const interfaces: Record<string, Interface> = {};
  for (const line of text.split("\n").slice(2)) {
    // A name may hold a colon (an alias), and a wide counter leaves no space after it.
    const colon = line.lastIndexOf(":");
    if (colon < 0) continue;
    const fields = line
      .slice(colon + 1)
      .trim()
      .split(/ +/)
      .map(Number);
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0] = fields;
    const [txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = fields.slice(8);
    interfaces[line.slice(0, colon).trim()] = {
      rx_bytes: rxBytes,
      rx_packets: rxPackets,
      rx_errors: rxErrors,
      rx_dropped: rxDropped,
      tx_bytes: txBytes,
      tx_packets: txPackets,
      tx_errors: txErrors,
      tx_dropped: txDropped,
    };
  }
  return interfaces;
}

export type InterfaceRates = Readonly<Record<`${keyof Interface}_per_second`, number>>;

/** Of the interfaces that were there both times, and whose counters did not begin anew. */
export function rates(before: Interfaces, after: Interfaces, seconds: number): Record<string, InterfaceRates> {
  const found: Record<string, InterfaceRates> = {};
  for (const [name, counters] of Object.entries(after)) {
    const earlier = before[name];
    if (!earlier) continue;
    const kinds = Object.keys(counters) as (keyof Interface)[];
    if (kinds.some((kind) => counters[kind] < earlier[kind])) continue;
    found[name] = Object.fromEntries(
      kinds.map((kind) => [`${kind}_per_second`, round((counters[kind] - earlier[kind]) / seconds)]),
    ) as InterfaceRates;
  }
  return found;
}

/** Keeps a payload well under its 64 KiB on hosts with hundreds of interfaces: the busiest are shown. */
const MOST_SHOWN = 100;

/** The payload. The sums are of all interfaces, shown or not, and null where there is none. */
export function summary(interfaces: Readonly<Record<string, InterfaceRates>>, seconds: number) {
  const every = Object.entries(interfaces);
  const sum = (key: keyof InterfaceRates): number | null =>
    every.length === 0 ? null : round(every.reduce((total, [, each]) => total + each[key], 0));
  const shown = every.sort(([, a], [, b]) => traffic(b) - traffic(a)).slice(0, MOST_SHOWN);
  return {
    seconds,
    rx_bytes_per_second: sum("rx_bytes_per_second"),
    tx_bytes_per_second: sum("tx_bytes_per_second"),
    rx_errors_per_second: sum("rx_errors_per_second"),
    tx_errors_per_second: sum("tx_errors_per_second"),
    interfaces: Object.fromEntries(shown),
    interfaces_omitted: every.length - shown.length,
  };
}

const traffic = (each: InterfaceRates): number => each.rx_bytes_per_second + each.tx_bytes_per_second;

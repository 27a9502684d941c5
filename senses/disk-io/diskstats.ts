/** /proc/diskstats (proc_diskstats(5), Documentation/admin-guide/iostats.rst), and what two readings of it show. */
import { growth, own, percent, round } from "nerve/proc";

/** Counters of one device since it appeared. Times are milliseconds, and wrap at 2^32. */
export interface Disk {
  readonly reads: number;
  readonly sectors_read: number;
  readonly read_ms: number;
  readonly writes: number;
  readonly sectors_written: number;
  readonly write_ms: number;
  readonly in_flight: number;
  readonly busy_ms: number;
  readonly weighted_ms: number;
}

export type Disks = Readonly<Record<string, Disk>>;

/** Fields of a line after the name; older kernels print four for a partition, newer ones more for a disk. */
const FIELDS = 11;
/** Some kernels count requests under way below zero, which reads as nearly 2^32 or 2^64. */
const NEGATIVE = 2 ** 31;

export function parseDiskstats(text: string): Disks {
  const disks: [string, Disk][] = [];
  for (const line of text.split("\n")) {
    const [, , name, ...texts] = line.trim().split(/ +/);
    const fields = texts.slice(0, FIELDS).map(Number);
    if (name === undefined || fields.length < FIELDS || fields.some(Number.isNaN)) continue;
    const [reads = 0, , read = 0, readMs = 0, writes = 0, , written = 0, writeMs = 0, inFlight = 0] = fields;
    const [busy = 0, weighted = 0] = fields.slice(9);
    disks.push([
      name,
      {
        reads,
        sectors_read: read,
        read_ms: readMs,
        writes,
        sectors_written: written,
        write_ms: writeMs,
        in_flight: inFlight >= NEGATIVE ? 0 : inFlight,
        busy_ms: busy,
        weighted_ms: weighted,
      },
    ]);
  }
  return Object.fromEntries(disks);
}

/** The kernel names partitions `sda1`, and `nvme0n1p1` where the disk's own name ends in a digit. */
export function isPartition(name: string, all: Disks): boolean {
  const disk = /^(.*\D)\d+$/.exec(name)?.[1] ?? name;
  return (disk !== name && Object.hasOwn(all, disk)) || (/\dp$/.test(disk) && Object.hasOwn(all, disk.slice(0, -1)));
}

export interface DiskRates {
  readonly read_bytes_per_second: number;
  readonly write_bytes_per_second: number;
  readonly reads_per_second: number;
  readonly writes_per_second: number;
  /** Mean time of one read, queueing included; null when there was none. */
  readonly read_latency_ms: number | null;
  readonly write_latency_ms: number | null;
  /** Share of the time in which anything was under way. Fast disks serve many requests at once: 100 is not their limit. */
  readonly busy_percent: number;
  /** Mean number of requests under way. */
  readonly queue_length: number;
  readonly in_flight: number;
}

const SECTOR_BYTES = 512;

export interface Rates {
  /** Of the devices that were there both times, and whose counters did not begin anew. */
  readonly devices: Readonly<Record<string, DiskRates>>;
  /** Devices whose counters began anew. */
  readonly reset: number;
}

export function rates(before: Disks, after: Disks, seconds: number): Rates {
  const found: [string, DiskRates][] = [];
  let reset = 0;
  for (const [name, disk] of Object.entries(after)) {
    const earlier = own(before, name);
    if (!earlier) continue;
    const each = ratesOf(earlier, disk, seconds);
    if (each === null) reset++;
    else found.push([name, each]);
  }
  return { devices: Object.fromEntries(found), reset };
}

/** Null when the counters began anew. */
function ratesOf(before: Disk, after: Disk, seconds: number): DiskRates | null {
  const reads = growth(before.reads, after.reads);
  const writes = growth(before.writes, after.writes);
  const read = growth(before.sectors_read, after.sectors_read);
  const written = growth(before.sectors_written, after.sectors_written);
  if (reads === null || writes === null || read === null || written === null) return null;
  // A time that steps back a little is no time spent.
  const spent = (kind: "read_ms" | "write_ms" | "busy_ms" | "weighted_ms"): number =>
    growth(before[kind], after[kind]) ?? 0;
  return {
    read_bytes_per_second: round((read * SECTOR_BYTES) / seconds),
    write_bytes_per_second: round((written * SECTOR_BYTES) / seconds),
    reads_per_second: round(reads / seconds),
    writes_per_second: round(writes / seconds),
    read_latency_ms: reads > 0 ? round(spent("read_ms") / reads) : null,
    write_latency_ms: writes > 0 ? round(spent("write_ms") / writes) : null,
    busy_percent: percent(spent("busy_ms"), seconds * 1000) ?? 0,
    queue_length: round(spent("weighted_ms") / 1000 / seconds),
    in_flight: after.in_flight,
  };
}

/** The busiest devices are shown: with hundreds of them a payload would pass its 64 KiB. */
const MOST_SHOWN = 100;

type Summed = "read_bytes_per_second" | "write_bytes_per_second" | "reads_per_second" | "writes_per_second";

export interface DiskIo extends Readonly<Record<Summed, number | null>> {
  readonly seconds: number;
  readonly devices: Readonly<Record<string, DiskRates>>;
  readonly devices_omitted: number;
  readonly devices_reset: number;
}

/** The payload. The sums are of all devices, shown or not, and null where there is none. */
export function summary({ devices, reset }: Rates, seconds: number): DiskIo {
  const every = Object.entries(devices);
  const sum = (key: Summed): number | null =>
    every.length === 0 ? null : round(every.reduce((total, [, disk]) => total + disk[key], 0));
  const shown = every
    .filter(([name]) => name !== "__proto__")
    .sort(([, a], [, b]) => traffic(b) - traffic(a))
    .slice(0, MOST_SHOWN);
  return {
    seconds,
    read_bytes_per_second: sum("read_bytes_per_second"),
    write_bytes_per_second: sum("write_bytes_per_second"),
    reads_per_second: sum("reads_per_second"),
    writes_per_second: sum("writes_per_second"),
    devices: Object.fromEntries(shown),
    devices_omitted: every.length - shown.length,
    devices_reset: reset,
  };
}

const traffic = (disk: DiskRates): number => disk.read_bytes_per_second + disk.write_bytes_per_second;

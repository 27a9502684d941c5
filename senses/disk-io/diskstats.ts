/** /proc/diskstats (proc_diskstats(5), Documentation/admin-guide/iostats.rst), and what two readings of it say. */
import { percent, round } from "nerve/proc";

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

export function parseDiskstats(text: string): Disks {
  const disks: Record<string, Disk> = {};
  for (const line of text.split("\n")) {
    const [, , name, ...fields] = line.trim().split(/ +/);
    if (name === undefined) continue;
    const [
      reads = 0,
      ,
      read = 0,
      readMs = 0,
      writes = 0,
      ,
      written = 0,
      writeMs = 0,
      inFlight = 0,
      busy = 0,
      weighted = 0,
    ] = fields.map(Number);
    disks[name] = {
      reads,
      sectors_read: read,
      read_ms: readMs,
      writes,
      sectors_written: written,
      write_ms: writeMs,
      in_flight: inFlight,
      busy_ms: busy,
      weighted_ms: weighted,
    };
  }
  return disks;
}

/** The kernel names partitions `sda1`, and `nvme0n1p1` where the disk's own name ends in a digit. */
export function isPartition(name: string, all: Disks): boolean {
  const disk = /^(.*\D)\d+$/.exec(name)?.[1] ?? name;
  return (disk !== name && disk in all) || (/\dp$/.test(disk) && disk.slice(0, -1) in all);
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

/** Of the devices that were there both times, and whose counters did not begin anew. */
export function rates(before: Disks, after: Disks, seconds: number): Record<string, DiskRates> {
  const found: Record<string, DiskRates> = {};
  for (const [name, disk] of Object.entries(after)) {
    const earlier = before[name];
    if (!earlier) continue;
    const reads = disk.reads - earlier.reads;
    const writes = disk.writes - earlier.writes;
    const read = disk.sectors_read - earlier.sectors_read;
    const written = disk.sectors_written - earlier.sectors_written;
    if (Math.min(reads, writes, read, written) < 0) continue;
    const spent = (kind: "read_ms" | "write_ms" | "busy_ms" | "weighted_ms"): number => {
      const ms = disk[kind] - earlier[kind];
      return ms < 0 ? ms + 2 ** 32 : ms;
    };
    found[name] = {
      read_bytes_per_second: round((read * SECTOR_BYTES) / seconds),
      write_bytes_per_second: round((written * SECTOR_BYTES) / seconds),
      reads_per_second: round(reads / seconds),
      writes_per_second: round(writes / seconds),
      read_latency_ms: reads > 0 ? round(spent("read_ms") / reads) : null,
      write_latency_ms: writes > 0 ? round(spent("write_ms") / writes) : null,
      busy_percent: percent(spent("busy_ms"), seconds * 1000) ?? 0,
      queue_length: round(spent("weighted_ms") / 1000 / seconds),
      in_flight: disk.in_flight,
    };
  }
  return found;
}

/** Keeps a payload well under its 64 KiB on hosts with hundreds of devices: the busiest are shown. */
const MOST_SHOWN = 100;

/** The payload. The sums are of all devices, shown or not, and null where there is none. */
export function summary(devices: Readonly<Record<string, DiskRates>>, seconds: number) {
  const every = Object.entries(devices);
  const sum = (key: "read_bytes_per_second" | "write_bytes_per_second" | "reads_per_second" | "writes_per_second") =>
    every.length === 0 ? null : round(every.reduce((total, [, disk]) => total + disk[key], 0));
  const shown = every.sort(([, a], [, b]) => traffic(b) - traffic(a)).slice(0, MOST_SHOWN);
  return {
    seconds,
    read_bytes_per_second: sum("read_bytes_per_second"),
    write_bytes_per_second: sum("write_bytes_per_second"),
    reads_per_second: sum("reads_per_second"),
    writes_per_second: sum("writes_per_second"),
    devices: Object.fromEntries(shown),
    devices_omitted: every.length - shown.length,
  };
}

const traffic = (disk: DiskRates): number => disk.read_bytes_per_second + disk.write_bytes_per_second;

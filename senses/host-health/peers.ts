/** The newest samples of the senses that host-health judges by. */
import { between, desc, sql } from "drizzle-orm";
import { type PeerDatabase, PeerNotReady, type Peers } from "nerve";
import { own } from "nerve/proc";
import { samples as cpu } from "nerve/senses/cpu-usage";
import { samples as disk } from "nerve/senses/disk-usage";
import { samples as load } from "nerve/senses/load";
import { samples as memory } from "nerve/senses/memory";
import { samples as pressure } from "nerve/senses/pressure";
import type { Check, HealthOptions } from "./options.ts";

/** A number that can be judged, and the sense that it is from. */
export interface Reading {
  readonly check: Check;
  readonly sense: string;
  readonly value: number;
}

export interface Skipped {
  readonly sense: string;
  readonly why: "not configured" | "not ready" | "stale";
}

type Values = readonly (readonly [check: Check, value: number | null])[];
type Newest = { readonly at: number; readonly values: Values } | null;

export function readPeers(
  peers: Peers,
  options: HealthOptions,
  now: number,
): { readings: Reading[]; skipped: Skipped[] } {
  const asked = [
    ...options.cpu.map((sense) => ({ sense, read: (peer: PeerDatabase) => readCpu(peer, options.window) })),
    ...options.memory.map((sense) => ({ sense, read: readMemory })),
    ...options.load.map((sense) => ({ sense, read: readLoad })),
    ...options.disks.map((sense) => ({ sense, read: readDisk })),
    ...options.pressure.map((sense) => ({ sense, read: readPressure })),
  ];
  if (!asked.some(({ sense }) => Object.hasOwn(peers, sense))) {
    const names = asked.map(({ sense }) => sense).join(", ");
    throw new Error(`none of the senses to judge by is configured (${names}): add one, or name yours under \`with\``);
  }

  const readings: Reading[] = [];
  const skipped: Skipped[] = [];
  for (const { sense, read } of asked) {
    const peer = own(peers, sense);
    const newest = peer ? ask(sense, () => read(peer)) : null;
    if (!peer) skipped.push({ sense, why: "not configured" });
    else if (newest === null) skipped.push({ sense, why: "not ready" });
    else if (now - newest.at > options.stale_after) skipped.push({ sense, why: "stale" });
    else {
      for (const [check, value] of newest.values) {
        if (value !== null) readings.push({ check, sense, value });
      }
    }
  }
  return { readings, skipped };
}

/** Null while there is no database. Any other failure means that another kind of sense has this name. */
function ask(sense: string, read: () => Newest): Newest {
  try {
    return read();
  } catch (error) {
    if (error instanceof PeerNotReady) return null;
    throw new Error(`cannot read the samples of sense "${sense}": ${(error as Error).message}`);
  }
}

/** The mean over the window before the newest sample: a single busy second is no finding. */
function readCpu(peer: PeerDatabase, windowMs: number): Newest {
  const newest = peer.select({ at: cpu.at }).from(cpu).orderBy(desc(cpu.id)).limit(1).get();
  if (!newest) return null;
  const mean = peer
    .select({ cpu_percent: sql<number>`round(avg(${cpu.usage_percent}), 2)` })
    .from(cpu)
    .where(between(cpu.at, newest.at - windowMs, newest.at))
    .get();
  return { at: newest.at, values: [["cpu_percent", mean?.cpu_percent ?? null]] };
}

function readMemory(peer: PeerDatabase): Newest {
  const newest = peer.select().from(memory).orderBy(desc(memory.id)).limit(1).get();
  if (!newest) return null;
  const { at, used_percent, swap_used_percent } = newest;
  return {
    at,
    values: [
      ["memory_percent", used_percent],
      ["swap_percent", swap_used_percent],
    ],
  };
}

function readLoad(peer: PeerDatabase): Newest {
  const newest = peer.select().from(load).orderBy(desc(load.id)).limit(1).get();
  return newest ? { at: newest.at, values: [["load5_per_core", newest.load5_per_core]] } : null;
}

function readDisk(peer: PeerDatabase): Newest {
  const newest = peer.select().from(disk).orderBy(desc(disk.id)).limit(1).get();
  if (!newest) return null;
  const { at, used_percent, inodes_used_percent } = newest;
  return {
    at,
    values: [
      ["disk_percent", used_percent],
      ["inodes_percent", inodes_used_percent],
    ],
  };
}

function readPressure(peer: PeerDatabase): Newest {
  const newest = peer.select().from(pressure).orderBy(desc(pressure.id)).limit(1).get();
  if (!newest) return null;
  return {
    at: newest.at,
    values: [
      ["cpu_pressure_percent", newest.cpu_some_avg60_percent],
      ["memory_pressure_percent", newest.memory_some_avg60_percent],
      ["io_pressure_percent", newest.io_some_avg60_percent],
    ],
  };
}

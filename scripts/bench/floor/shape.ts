/** The shape of the work, said once for both sides: what a signal looks like and what a probe reads. */
import { readFileSync } from "node:fs";

/** About 150 bytes as JSON, and no work to speak of. */
export const payload = (now: number): object => ({
  now,
  level: 0.25,
  ratio: 0.75,
  text: "a fact of no particular interest, as long as a typical one: some readings, a name and a unit",
});

/** What the second sense of a pair makes of a signal. */
export const reaction = (now: number): object => ({ over: true, now });

/** The file beside its database that the floor's worker imports. */
export const USER_MODULE = "floor-sense.ts";

export const TRACE = "0199d0c0ffee00112233445566778899";

const columns = (line: string): number[] => line.trim().split(/\s+/).slice(1).map(Number);

function cpu(): object {
  const [user = 0, , system = 0, idle = 0] = columns(readFileSync("/proc/stat", "latin1").split("\n", 1)[0] ?? "");
  return { user, system, idle };
}

function memory(): object {
  const text = readFileSync("/proc/meminfo", "latin1");
  return {
    available: Number(/MemAvailable:\s+(\d+)/.exec(text)?.[1]),
    total: Number(/MemTotal:\s+(\d+)/.exec(text)?.[1]),
  };
}

function load(): object {
  const [one, five, fifteen] = readFileSync("/proc/loadavg", "latin1").split(" ").map(Number);
  return { one, five, fifteen };
}

function disks(): object {
  const read: Record<string, number> = {};
  for (const line of readFileSync("/proc/diskstats", "latin1").split("\n")) {
    const [, , name, , , sectors] = line.trim().split(/\s+/);
    if (name !== undefined && sectors !== undefined) read[name] = Number(sectors);
  }
  return read;
}

/** Each reads and parses one file of /proc. */
export const PROBES: readonly (() => object)[] = [cpu, memory, load, disks];

/** One reading: `late` is how long after its due time it began, `early` whether it began before. */
export function probe(kind: number, due: number): object {
  const late = Math.round((performance.timeOrigin + performance.now() - due) * 1000) / 1000;
  return { due, late, early: Date.now() < due, value: (PROBES[kind % PROBES.length] as () => object)() };
}

/** The processes that take the most. Of those we can see; names are what the processes call themselves. */
import { own, round } from "nerve/proc";
import type { Process } from "./pid-stat.ts";

/** Pid → ticks after boot at its start, and ticks used. Those that never ran are left out. */
export type Ticks = Readonly<Record<string, readonly [started: number, used: number]>>;

export const ticksByProcess = (processes: readonly Process[]): Ticks =>
  Object.fromEntries(
    processes.filter(({ ticks }) => ticks > 0).map(({ pid, started, ticks }) => [pid, [started, ticks]]),
  );

/** Of a second on every architecture nerve runs on (USER_HZ). */
const TICKS_PER_SECOND = 100;

export interface Consumer {
  readonly pid: number;
  readonly name: string;
  /** 100 is one processor, fully. */
  readonly cpu_percent: number;
}

/** Processor time since the previous sample, of one that started later since its start. */
export function consumption(
  processes: readonly Process[],
  previous: { readonly ticks: Ticks },
  seconds: number,
): Consumer[] {
  return processes.map(({ pid, name, started, ticks }) => {
    const earlier = own(previous.ticks, String(pid));
    const before = earlier?.[0] === started ? earlier[1] : 0;
    return { pid, name, cpu_percent: round((100 * (ticks - before)) / TICKS_PER_SECOND / seconds) };
  });
}

export const topByCpu = (consumers: readonly Consumer[], most: number): Consumer[] =>
  consumers
    .filter(({ cpu_percent }) => cpu_percent > 0)
    .sort((a, b) => b.cpu_percent - a.cpu_percent)
    .slice(0, most);

export const topByMemory = (processes: readonly Process[], most: number, pageBytes: number) =>
  processes
    .filter(({ rss_pages }) => rss_pages > 0)
    .sort((a, b) => b.rss_pages - a.rss_pages)
    .slice(0, most)
    .map(({ pid, name, rss_pages }) => ({ pid, name, rss_bytes: rss_pages * pageBytes }));

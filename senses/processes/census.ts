/** Counting processes, without passing off those we may not see as not there. */
import { matches } from "nerve/glob";
import type { Process } from "./pid-stat.ts";

const STATES = {
  running: "R",
  sleeping: "S",
  blocked: "D",
  idle: "I",
  stopped: "Tt",
  zombie: "Z",
} as const;

/** The first process is everyone's: who cannot see it sees only their own (hidepid, ProtectProc=invisible). */
const seesAll = (processes: readonly Process[]): boolean => processes.some(({ pid }) => pid === 1);

export type Census = Readonly<Record<keyof typeof STATES | "total" | "threads", number | null>> & {
  readonly visible: "all" | "own";
};

/** Null where the answer would be of our own processes only. */
export function census(processes: readonly Process[]): Census {
  const all = seesAll(processes);
  const count = (states: string): number | null =>
    all ? processes.filter(({ state }) => states.includes(state)).length : null;
  return {
    visible: all ? "all" : "own",
    total: all ? processes.length : null,
    threads: all ? processes.reduce((sum, { threads }) => sum + threads, 0) : null,
    running: count(STATES.running),
    sleeping: count(STATES.sleeping),
    blocked: count(STATES.blocked),
    idle: count(STATES.idle),
    stopped: count(STATES.stopped),
    zombie: count(STATES.zombie),
  };
}

export interface Watched {
  /** Null: none found, but we see our own processes only. */
  readonly count: number | null;
  readonly rss_bytes: number | null;
}

/** Zombies match nothing: what has ended is not there. */
export function watch(
  processes: readonly Process[],
  patterns: Readonly<Record<string, string>>,
  pageBytes: number,
): Record<string, Watched> {
  const all = seesAll(processes);
  return Object.fromEntries(
    Object.entries(patterns).map(([label, pattern]) => {
      const matching = processes.filter(
        ({ name, command, state }) =>
          state !== "Z" && (matches(pattern, name) || (command !== null && matches(pattern, command))),
      );
      if (matching.length === 0 && !all) return [label, { count: null, rss_bytes: null }];
      const pages = matching.reduce((sum, { rss_pages }) => sum + rss_pages, 0);
      return [label, { count: matching.length, rss_bytes: pages * pageBytes }];
    }),
  );
}

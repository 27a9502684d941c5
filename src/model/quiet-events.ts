/**
 * Which events of a running run are quiet: they say how the run gets on, and its row stays as it is. So a step writes no row. Each
 * has its number among the events of the run, so that one that is gone is missed.
 */

export const QUIET_EVENTS: readonly string[] = [
  "step.started",
  "step.completed",
  "step.failed",
  "sleep.started",
  "sleep.ended",
];

const QUIET: ReadonlySet<string> = new Set(QUIET_EVENTS);

export const isQuiet = (state: string, event: string): boolean => state === "running" && QUIET.has(event);

interface Happening {
  readonly event: string;
  readonly data: object;
}

interface Standing {
  readonly state: string;
  readonly events: number | null;
}

/** The text of an event's data. `run`: the row before; `quiet`: quiet events since the newest event that changed the row. */
export function textOf({ event, data }: Happening, run: Standing | null, quiet: number): string {
  const text = JSON.stringify(data);
  if (run === null || run.events === null || !isQuiet(run.state, event)) return text;
  return `${text.slice(0, -1)},"n":${run.events + quiet + 1}}`;
}

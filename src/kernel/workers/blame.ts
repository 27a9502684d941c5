/**
 * Owns the blame for a worker's death. Pure. A death with several tasks under way proves nothing, so they become suspects
 * and run again one at a time. Only a task that dies alone gets a strike. Three strikes without a settled task between them
 * are a quarantine.
 */
export const STRIKES = 3;
const FIRST_QUARANTINE_MS = 60_000;
const LONGEST_QUARANTINE_MS = 3_600_000;

export interface Verdict<Task> {
  /** These tasks run again alone. */
  readonly suspects: readonly Task[];
  /** The task that was alone, or null. */
  readonly strike: Task | null;
}

/** `running` are the tasks that had started and not settled when the worker died. */
export const judge = <Task>(running: readonly Task[]): Verdict<Task> => ({
  suspects: running,
  strike: running.length === 1 ? (running[0] ?? null) : null,
});

/** Milliseconds of quarantine at this many strikes in a row, or null below three: 1 m, doubling, at most 1 h. */
export function quarantineMs(strikes: number): number | null {
  if (strikes < STRIKES) return null;
  return Math.min(LONGEST_QUARANTINE_MS, FIRST_QUARANTINE_MS * 2 ** Math.min(strikes - STRIKES, 20));
}

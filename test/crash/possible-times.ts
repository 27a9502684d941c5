/**
 * When a deadline may have acted, as far as the store tells: when it was due; at the start, where it passed more than a
 * second before while the kernel was down; when it was found, where the kernel itself stood still for so long.
 */
export interface Known {
  /** Unix milliseconds of each start that was committed, in order. */
  readonly starts: readonly number[];
  /** Unix milliseconds at which a kernel was seen to be dead, in order. */
  readonly deaths: readonly number[];
  /** Unix milliseconds at which a kernel was at work, as its signals and logs say, in order. */
  readonly alive: readonly number[];
}

/** From then on a deadline acts when it is found. */
const LATE_MS = 1_000;

/** The place of the first time after `at`. */
function placeAfter(times: readonly number[], at: number): number {
  let low = 0;
  for (let high = times.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

const firstAfter = (times: readonly number[], at: number): number => times[placeAfter(times, at)] ?? Infinity;
const lastUpTo = (times: readonly number[], at: number): number => times[placeAfter(times, at) - 1] ?? -Infinity;

/** A kernel that stood still for longer than LATE_MS may have taken one signal meanwhile: one half of the time is silent. */
const SILENT_MS = LATE_MS / 2;

/** Whether `times` leave so much room between two moments. */
function isSilent(times: readonly number[], from: number, to: number): boolean {
  let last = from;
  for (let place = placeAfter(times, from); last < to; place++) {
    const next = Math.min(times[place] ?? to, to);
    if (next - last > SILENT_MS) return true;
    last = next;
  }
  return false;
}

/** `found`: moments at which the deadline may have been found by a kernel that stood still. */
export function possibleTimes({ starts, deaths, alive }: Known, due: number, found: readonly number[]): number[] {
  const start = firstAfter(starts, due);
  const isLate = start < Infinity && start - due > LATE_MS;
  // What a kernel does a second later is committed after the deadline.
  const passedDown = isLate && firstAfter(alive, due + LATE_MS) >= start;
  const wasDown = lastUpTo(deaths, due) > lastUpTo(starts, due);
  const stoodStill = (at: number): boolean => at - due > LATE_MS && at < start && isSilent(alive, due, at);
  return [
    ...(passedDown && wasDown ? [] : [due]),
    ...(passedDown ? [start] : []),
    ...new Set(wasDown ? [] : found.filter(stoodStill)),
  ];
}

/** What is read off a line: its gaps, its value at a time, its extent, where it passed a limit. Pure. */
import type { SeriesLine } from "../../web/contract-host.ts";

/** A pause of so many usual distances is a gap: nothing is drawn over it. */
const GAP = 4;

/** The usual distance of two values: the median. */
export function usualStep(at: readonly number[]): number {
  const steps = at.slice(1).map((time, index) => time - (at[index] ?? time));
  return steps.sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
}

/** From which index to which (exclusive) a line goes on without a gap. */
export function unbroken({ at }: SeriesLine): readonly (readonly [from: number, to: number])[] {
  if (at.length === 0) return [];
  const limit = usualStep(at) * GAP;
  const ends = at.flatMap((time, index) => (index > 0 && time - (at[index - 1] ?? time) > limit ? [index] : []));
  return [0, ...ends].map((from, nth) => [from, ends[nth] ?? at.length] as const);
}

/** The highest value of a line at `time`: of its last pixel before, as long as that is not older than a gap. */
export function valueAt(line: SeriesLine | null, time: number): number | null {
  if (line === null) return null;
  const index = line.at.findLastIndex((at) => at <= time);
  const at = line.at[index];
  if (at === undefined || time - at > Math.max(usualStep(line.at) * GAP, 1_000)) return null;
  return line.max[index] ?? null;
}

/** Stretches in which the line is at or over `limit`. */
export function stretchesOver(line: SeriesLine, limit: number): readonly (readonly [from: number, to: number])[] {
  const found: [number, number][] = [];
  const step = usualStep(line.at);
  let open: [number, number] | null = null;
  for (const [index, at] of line.at.entries()) {
    const over = (line.max[index] ?? Number.NEGATIVE_INFINITY) >= limit;
    if (!over) open = null;
    else if (open !== null && at - open[1] <= step * GAP) open[1] = at + step;
    else {
      open = [at, at + step];
      found.push(open);
    }
  }
  return found;
}

export const lastOf = (line: SeriesLine | null): number | null => line?.max.at(-1) ?? null;

export function extent(line: SeriesLine | null): readonly [least: number, most: number] | null {
  if (line === null || line.at.length === 0) return null;
  return [line.min.reduce((a, b) => Math.min(a, b)), line.max.reduce((a, b) => Math.max(a, b))];
}

/** When a file system will be full, as it grew over the range: a straight line through what was measured. Pure. */
import type { SeriesLine } from "../../web/contract-host.ts";
import { span } from "../words/numbers.ts";

/** Over less than this nothing is said. */
const LEAST_MS = 600_000;
const LEAST_VALUES = 6;
const FULL = 100;
/** What is further away than this is not worth a word. */
const MOST_AHEAD = 12;
const FAR_MS = 90 * 86_400_000;

/** Percent a millisecond, by least squares. */
function slopeOf({ at, max }: SeriesLine): number {
  const n = at.length;
  const meanAt = at.reduce((sum, time) => sum + time, 0) / n;
  const meanValue = max.reduce((sum, value) => sum + value, 0) / n;
  let both = 0;
  let square = 0;
  for (const [index, time] of at.entries()) {
    both += (time - meanAt) * ((max[index] ?? 0) - meanValue);
    square += (time - meanAt) ** 2;
  }
  return square === 0 ? 0 : both / square;
}

/** `full in about 5 h`, `not filling`; null: too little was measured. */
export function filling(line: SeriesLine | null): string | null {
  if (line === null || line.at.length < LEAST_VALUES) return null;
  const first = line.at[0] ?? 0;
  const last = line.at.at(-1) ?? first;
  if (last - first < LEAST_MS) return null;
  const left = (FULL - (line.max.at(-1) ?? FULL)) / slopeOf(line);
  if (left <= 0 || left >= FAR_MS) return "not filling";
  // A few minutes say nothing of next week.
  return left < (last - first) * MOST_AHEAD ? `full in about ${span(left).split(" ").slice(0, 2).join(" ")}` : null;
}

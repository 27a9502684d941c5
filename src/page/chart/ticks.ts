/** Where the ticks of an axis lie, and where a time lies on it. Pure. */
import { clock, day, minute } from "../words/times.ts";

const STEPS_MS = [
  10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000,
  43_200_000, 86_400_000, 172_800_000, 604_800_000,
];
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** At most `most` ticks, on whole steps of the zone's clock as far as that is a whole number of quarters of an hour. */
export function ticksOf(from: number, to: number, most: number): readonly Tick[] {
  const step = STEPS_MS.find((one) => (to - from) / one <= most) ?? DAY_MS * 7;
  const text = step >= DAY_MS ? day : step < MINUTE_MS ? clock : minute;
  const shift = step > HOUR_MS ? offsetOf(to) : 0;
  const ticks: Tick[] = [];
  for (let at = Math.ceil((from + shift) / step) * step - shift; at <= to; at += step)
    ticks.push({ at, text: text(at) });
  return ticks;
}

/** How far the zone's clock is ahead of UTC, from what it shows. */
function offsetOf(at: number): number {
  const [hours = 0, minutes = 0] = minute(at).split(":").map(Number);
  const shown = (hours * 60 + minutes) * MINUTE_MS;
  const utc = Math.floor((at % DAY_MS) / MINUTE_MS) * MINUTE_MS;
  const ahead = shown - utc;
  return ahead > DAY_MS / 2 ? ahead - DAY_MS : ahead < -DAY_MS / 2 ? ahead + DAY_MS : ahead;
}

export const place = (at: number, from: number, to: number): string =>
  `${(((at - from) / (to - from)) * 100).toFixed(3)}%`;

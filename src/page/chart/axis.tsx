/** The one axis of time under plots, lanes and strips: whole minutes, hours or days, then `now` at the right edge. */
import { moment } from "../words/times.ts";
import { place, ticksOf } from "./ticks.ts";

interface AxisProps {
  readonly from: number;
  readonly to: number;
  readonly live: boolean;
}

const MOST_TICKS = 6;
/** A label that would run into `now` goes. */
const CROWDED = 0.9;

export function Axis({ from, to, live }: AxisProps) {
  const ticks = ticksOf(from, to, MOST_TICKS).filter(({ at }) => (at - from) / (to - from) < CROWDED);
  return (
    <div class="lt ticks">
      {ticks.map(({ at, text }) => (
        <span key={at} class={at - from < (to - from) * 0.04 ? "first" : ""} style={{ left: place(at, from, to) }}>
          {text}
        </span>
      ))}
      <span class="last" style={{ left: "100%" }}>
        {live ? "now" : moment(to)}
      </span>
    </div>
  );
}

/** The one axis of time under plots, lanes and strips: whole minutes, hours or days, then `now` at the right edge. */
import { screen } from "../state/screen.ts";
import { moment } from "../words/times.ts";
import { place, ticksOf } from "./ticks.ts";

interface AxisProps {
  readonly from: number;
  readonly to: number;
  readonly live: boolean;
}

/** How many labels there is room for. A label that would run into `now` goes. */
const ROOM = { most: 6, crowded: 0.9 };
const LITTLE_ROOM = { most: 5, crowded: 0.8 };

export function Axis({ from, to, live }: AxisProps) {
  const { most, crowded } = screen.value === "phone" ? LITTLE_ROOM : ROOM;
  const ticks = ticksOf(from, to, most).filter(({ at }) => (at - from) / (to - from) < crowded);
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

/** A line of 24 px without axis: how a number went. No value: a dashed line in the middle. */
import type { SeriesLine } from "../../web/contract-host.ts";
import { LEVEL } from "../words/payload.ts";
import { usualStep } from "./line.ts";

const WIDTH = 1_000;
const HEIGHT = 24;
const HEADROOM = 1.15;
const GAP = 4;

interface SparkProps {
  readonly line: SeriesLine | null;
  readonly from: number;
  readonly to: number;
}

/** The gravest level of a line of levels. */
const MOST_LEVEL = 2;

export function ceilingOf(unit: string | null, most: number): number {
  if (unit === "percent") return 100;
  return (unit === LEVEL ? MOST_LEVEL : Math.max(most, Number.MIN_VALUE)) * HEADROOM;
}

/** One path for each stretch without a gap. */
function paths(line: SeriesLine, from: number, to: number): { readonly strokes: string; readonly fills: string } {
  const most = line.max.reduce((a, b) => Math.max(a, b), 0);
  const top = ceilingOf(line.unit, most);
  const limit = usualStep(line.at) * GAP;
  const x = (at: number): string => (((at - from) / (to - from)) * WIDTH).toFixed(1);
  const y = (value: number): string => (HEIGHT - 1 - Math.min(Math.max(value / top, 0), 1) * (HEIGHT - 2)).toFixed(1);
  let strokes = "";
  let fills = "";
  let begin = 0;
  for (const [index, at] of line.at.entries()) {
    const next = line.at[index + 1];
    const isFirst = index === begin;
    const value = line.max[index] ?? 0;
    strokes += `${isFirst ? "M" : "L"}${x(at)} ${y(value)}`;
    fills += `${isFirst ? `M${x(at)} ${HEIGHT}L` : "L"}${x(at)} ${y(value)}`;
    if (next === undefined || next - at > limit) {
      fills += `L${x(at)} ${HEIGHT}Z`;
      begin = index + 1;
    }
  }
  return { strokes, fills };
}

export function Spark({ line, from, to }: SparkProps) {
  const drawn = line === null || line.at.length === 0 ? null : paths(line, from, to);
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {drawn === null ? (
        <path class="base" d={`M0 ${HEIGHT / 2}H${WIDTH}`} stroke-dasharray="3 3" />
      ) : (
        <>
          <path class="fl" d={drawn.fills} />
          <path class="ln" d={drawn.strokes} />
        </>
      )}
    </svg>
  );
}

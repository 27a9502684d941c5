/** One row of a chart: its lines with minimum and maximum, its limits, and a bar under the stretch in which a limit was passed. */
import { useEffect, useRef } from "preact/hooks";
import type { SeriesLine } from "../../web/contract-host.ts";
import { colours } from "../state/theme.ts";
import { stretchesOver, unbroken } from "./line.ts";

export interface Limit {
  readonly at: number;
  readonly tone: "warn" | "crit";
}

/** A stretch of time in which a limit was passed. */
export interface Over {
  readonly from: number;
  readonly to: number;
  readonly tone: Limit["tone"];
}

export interface PlotProps {
  /** The first is drawn in front, with the area under it; a second behind, in grey. */
  readonly lines: readonly SeriesLine[];
  readonly from: number;
  readonly to: number;
  readonly max: number;
  readonly limits: readonly Limit[];
  /** Where a limit was passed; null: where the first line passes one. */
  readonly over: readonly Over[] | null;
  readonly width: number;
}

const HEIGHT = 40;
/** Room above and below, so that a line at its end is not cut. */
const TOP = 2;
const BOTTOM = 1;
const OVER = 3;

/** Where values and times lie on the canvas, in CSS pixels. */
interface Place {
  readonly x: (at: number) => number;
  readonly y: (value: number) => number;
  readonly colour: (token: string) => string;
}

const TOKENS = ["series", "series-2", "fill", "line", "warn", "crit", "warn-m", "crit-m"] as const;

/** The colours behind the tokens: a canvas knows no style sheet. */
function paletteOf(canvas: HTMLCanvasElement): ReadonlyMap<string, string> {
  const probe = document.createElement("i");
  canvas.after(probe);
  const found = TOKENS.map((token): [string, string] => {
    probe.className = `probe-${token}`;
    return [token, getComputedStyle(probe).color];
  });
  probe.remove();
  return new Map(found);
}

type Ink = CanvasRenderingContext2D;

/** Along the highest values, and back along the lowest. */
function drawLine(ink: Ink, line: SeriesLine, { x, y, colour }: Place, isFirst: boolean): void {
  ink.strokeStyle = colour(isFirst ? "series" : "series-2");
  ink.lineWidth = isFirst ? 1.5 : 1.25;
  ink.lineJoin = "round";
  for (const [from, to] of unbroken(line)) {
    const band = new Path2D();
    const top = new Path2D();
    for (let index = from; index < to; index += 1) {
      const left = x(line.at[index] ?? 0);
      top.lineTo(left, y(line.max[index] ?? 0));
      band.lineTo(left, y(line.max[index] ?? 0));
    }
    for (let index = to - 1; index >= from; index -= 1) band.lineTo(x(line.at[index] ?? 0), y(line.min[index] ?? 0));
    if (isFirst) {
      const area = new Path2D(top);
      area.lineTo(x(line.at[to - 1] ?? 0), HEIGHT);
      area.lineTo(x(line.at[from] ?? 0), HEIGHT);
      ink.fillStyle = colour("fill");
      ink.fill(area);
    }
    ink.fillStyle = ink.strokeStyle;
    ink.fill(band);
    ink.stroke(top);
  }
}

function drawLimits(ink: Ink, limits: readonly Limit[], width: number, { y, colour }: Place): void {
  ink.lineWidth = 1;
  ink.setLineDash([3, 3]);
  for (const { at, tone } of limits) {
    ink.strokeStyle = colour(tone);
    const level = Math.round(y(at)) + 0.5;
    ink.stroke(new Path2D(`M0 ${level}H${width}`));
  }
  ink.setLineDash([]);
}

/** The alarm: the graver limit last, so that its bar covers the other's. */
function drawOver(ink: Ink, over: readonly Over[], { x, colour }: Place): void {
  for (const tone of ["warn", "crit"] as const) {
    ink.fillStyle = colour(`${tone}-m`);
    for (const { from, to } of over.filter((one) => one.tone === tone))
      ink.fillRect(x(from), HEIGHT - OVER, Math.max(x(to) - x(from), 2), OVER);
  }
}

const passedBy = (first: SeriesLine, limits: readonly Limit[]): readonly Over[] =>
  limits.flatMap(({ at, tone }) => stretchesOver(first, at).map(([from, to]) => ({ from, to, tone })));

function draw(canvas: HTMLCanvasElement, { lines, from, to, max, limits, over, width }: PlotProps): void {
  const ink = canvas.getContext("2d");
  if (ink === null) return;
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(HEIGHT * ratio);
  ink.scale(ratio, ratio);
  const palette = paletteOf(canvas);
  const place: Place = {
    x: (at) => ((at - from) / (to - from)) * width,
    y: (value) => TOP + (1 - Math.min(Math.max(value / max, 0), 1)) * (HEIGHT - TOP - BOTTOM),
    colour: (token) => palette.get(token) ?? "",
  };
  drawLimits(ink, limits, width, place);
  for (const [nth, line] of [...lines.entries()].reverse()) drawLine(ink, line, place, nth === 0);
  ink.fillStyle = place.colour("line");
  ink.fillRect(0, HEIGHT - 1, width, 1);
  const [first] = lines;
  drawOver(ink, over ?? (first === undefined ? [] : passedBy(first, limits)), place);
}

export function Plot(props: PlotProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const again = colours.value;
  useEffect(() => {
    if (canvas.current !== null && props.width > 0) draw(canvas.current, props);
  }, [props.lines, props.from, props.to, props.max, props.limits, props.over, props.width, again]);
  return (
    <div aria-hidden="true">
      <canvas ref={canvas} />
    </div>
  );
}

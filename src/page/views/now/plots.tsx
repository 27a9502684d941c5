/** Small multiples on one axis of time, and under them the lanes of what happened. Hover: every row says that second. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ShownSignal } from "../../../web/contract.ts";
import type { SeriesLine } from "../../../web/contract-host.ts";
import { Axis } from "../../chart/axis.tsx";
import { filling } from "../../chart/filling.ts";
import { extent, lastOf, valueAt } from "../../chart/line.ts";
import { bandsOf } from "../../chart/merged.ts";
import { type Limit, type Over, Plot } from "../../chart/plot.tsx";
import { ceilingOf } from "../../chart/spark.tsx";
import { place } from "../../chart/ticks.ts";
import type { Chart } from "../../data/charts.ts";
import { checksIn } from "../../data/checks.ts";
import { useHappened } from "../../data/happened.ts";
import { useSeries } from "../../data/series.ts";
import { Icon } from "../../parts/icon.tsx";
import { chooseStretch, type Range, range } from "../../state/range.ts";
import { digits, valued } from "../../words/numbers.ts";
import { clock } from "../../words/times.ts";
import { Lanes } from "./lanes.tsx";

/** The second that the pointer, or the line of the keyboard, is at; null: now. */
export const hoverAt = signal<number | null>(null);
/** Width of the drawing area, in whole tens of pixels: one for all rows. */
const areaWidth = signal(0);

const isOver = (value: number | null, limit: Limit): boolean => value !== null && value >= limit.at;

/** The gravest limit that `value` has passed. */
function toneOf(value: number | null, limits: readonly Limit[]): "crit" | "warn" | null {
  const passed = limits.filter((limit) => isOver(value, limit)).map(({ tone }) => tone);
  return passed.includes("crit") ? "crit" : passed.includes("warn") ? "warn" : null;
}

interface RowProps {
  readonly chart: Chart;
  readonly range: Range;
  readonly health: readonly ShownSignal[];
}

const TONES = { ok: null, warning: "warn", critical: "crit" } as const;

/** Where `host-health` found the check bad; null: the line itself says so. */
function judgedOver({ chart, range: { from, to }, health }: RowProps): readonly Over[] | null {
  const { judged, sense } = chart;
  if (judged === null) return null;
  const states = health.map(({ at, payload }) => {
    const check = checksIn(payload).find((one) => one.sense === sense && one.check === judged.check);
    return { at, tone: check === undefined ? "ok" : (TONES[check.status] ?? "ok") };
  });
  return bandsOf(states, from, to).flatMap((band) =>
    band.tone === "ok" ? [] : [{ ...band, tone: band.tone as Limit["tone"] }],
  );
}

/** How grave the value is that the row says. A value under the limit is not red because the mean of its last while is over it. */
function toneAt(
  value: number | null,
  at: number | null,
  { limits, judged }: Chart,
  over: readonly Over[] | null,
): Limit["tone"] | null {
  const own = toneOf(value, limits);
  if (judged === null || over === null || own === null) return own;
  if (at === null) return TONES[judged.status];
  return over.find(({ from, to }) => at >= from && at <= to)?.tone ?? null;
}

/** One line for each field; of a field with a line for each value of a word (`of`) the two that are highest now. */
function linesIn({ fields }: Chart, all: readonly SeriesLine[]): readonly SeriesLine[] {
  const [field = ""] = fields;
  const many = all.filter((line) => line.field === field);
  if (many.length > 1) return many.toSorted((a, b) => (lastOf(b) ?? 0) - (lastOf(a) ?? 0)).slice(0, 2);
  return fields.flatMap((one) => all.find((line) => line.field === one) ?? []);
}

/** Which values the lines are of, where there is one for each. */
function underOf({ under, fills }: Chart, [first, second]: readonly SeriesLine[]): string {
  if (first?.of == null || fills) return under;
  return second?.of == null ? first.of : `${first.of}, ${second.of}`;
}

function PlotRow(row: RowProps) {
  const { chart, range: shown } = row;
  const over = judgedOver(row);
  const series = useSeries({ ...chart, isWord: false, range: shown, width: areaWidth.value });
  const lines = linesIn(chart, series.lines);
  const [first = null, second = null] = lines;
  const hovered = hoverAt.value;
  const value = hovered === null ? lastOf(first) : valueAt(first, hovered);
  const most = Math.max(extent(first)?.[1] ?? 0, extent(second)?.[1] ?? 0, 0);
  const max = ceilingOf(chart.unit, most === 0 ? 1 : most);
  const shownLimits = chart.limits.filter(({ at }) => at <= max);
  const tone = toneAt(value, hovered, chart, over);
  const judged = hovered === null && chart.judged !== null ? TONES[chart.judged.status] : null;
  const lowest = shownLimits[0];
  return (
    <div class="plot">
      <div class="l tr">
        <h3 class="tr">{chart.title}</h3>
        <span class="s tr" title={series.cut ?? ""}>
          {underOf(chart, lines)}
          {series.cut === null ? "" : ", newest part"}
        </span>
      </div>
      <div class="ar">
        <Plot
          lines={lines}
          from={shown.from}
          to={shown.to}
          max={max}
          limits={shownLimits}
          over={over}
          width={areaWidth.value}
        />
        {lowest === undefined ? null : (
          <span class="lim" style={{ top: `${(1 - lowest.at / max) * 100}%` }}>
            {digits(lowest.at)}
          </span>
        )}
      </div>
      <div class="v">
        <b class={chart.isOld ? "s" : (tone ?? "")}>
          {tone === null ? null : <Icon name={tone} />}
          {valued(value, chart.unit)}
        </b>
        <span class={judged === null ? "s" : `s ${judged}`}>
          {hovered === null ? beneath(chart, first, second, series.error) : " "}
        </span>
      </div>
    </div>
  );
}

type Line = Parameters<typeof lastOf>[0];

function beneath(chart: Chart, first: Line, second: Line, error: string | null): string {
  if (error !== null) return error;
  if (chart.judged !== null && chart.judged.status !== "ok") return `mean ${valued(chart.judged.value, chart.unit)}`;
  if (chart.fills) return filling(first) ?? " ";
  if (chart.second !== null && lastOf(second) !== null) return `${chart.second} ${valued(lastOf(second), chart.unit)}`;
  const ends = extent(first);
  if (ends !== null && ends[0] === ends[1]) return "steady";
  return ends === null ? "no value" : `${valued(ends[0], chart.unit)} to ${valued(ends[1], chart.unit)}`;
}

const LEAST_DRAG_PX = 8;

/** Where the pointer is in the drawing area, 0 to 1; null beside it. */
function fractionAt(plots: HTMLElement, clientX: number): number | null {
  const area = plots.querySelector(".ar")?.getBoundingClientRect();
  if (area === undefined || area.width === 0) return null;
  const x = (clientX - area.left) / area.width;
  return x < 0 || x > 1 ? null : x;
}

const timeAt = (fraction: number, { from, to }: Range): number => from + fraction * (to - from);

/** By the keyboard the line moves by a hundredth of the range; with shift by a tenth. */
function moveLine(event: KeyboardEvent): void {
  const { from, to } = range.peek();
  const step = ((to - from) / 100) * (event.shiftKey ? 10 : 1);
  const at = hoverAt.peek() ?? to;
  if (event.key === "ArrowLeft") hoverAt.value = Math.max(at - step, from);
  else if (event.key === "ArrowRight") hoverAt.value = Math.min(at + step, to);
  else if (event.key === "Escape") hoverAt.value = null;
  else return;
  event.preventDefault();
}

function usePointer(plots: { readonly current: HTMLDivElement | null }): void {
  useEffect(() => {
    const element = plots.current;
    if (element === null) return;
    let begun: number | null = null;
    const given = new AbortController();
    const on = (name: string, act: (event: PointerEvent) => void): void =>
      element.addEventListener(name, act as EventListener, { signal: given.signal });
    on("pointermove", ({ clientX }) => {
      const at = fractionAt(element, clientX);
      hoverAt.value = at === null ? null : timeAt(at, range.peek());
    });
    on("pointerleave", () => {
      hoverAt.value = null;
      begun = null;
    });
    on("pointerdown", (event) => {
      begun = event.pointerType === "mouse" && event.button === 0 ? event.clientX : null;
    });
    on("pointerup", ({ clientX }) => {
      const from = begun === null ? null : fractionAt(element, Math.min(begun, clientX));
      const to = begun === null ? null : fractionAt(element, Math.max(begun, clientX));
      const far = begun !== null && Math.abs(clientX - begun) >= LEAST_DRAG_PX;
      begun = null;
      if (far && from !== null && to !== null) chooseStretch(timeAt(from, range.peek()), timeAt(to, range.peek()));
    });
    return () => given.abort();
  }, []);
}

function useWidth(plots: { readonly current: HTMLDivElement | null }): void {
  useEffect(() => {
    const element = plots.current;
    if (element === null) return;
    const measure = (): void => {
      const width = element.querySelector(".ar")?.clientWidth ?? 0;
      if (width > 0) areaWidth.value = width;
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
}

function Cross({ range: shown }: { readonly range: Range }) {
  const at = hoverAt.value;
  if (at === null) return null;
  return (
    <div class="over">
      <div class="cross" style={{ left: place(at, shown.from, shown.to) }}>
        <span>{clock(at)}</span>
      </div>
    </div>
  );
}

export function Plots({ charts }: { readonly charts: readonly Chart[] }) {
  const plots = useRef<HTMLDivElement>(null);
  const shown = range.value;
  usePointer(plots);
  useWidth(plots);
  const { health } = useHappened();
  const at = hoverAt.value;
  return (
    <div class={at === null ? "plots" : "plots hov"} ref={plots}>
      {charts.map((chart) => (
        <PlotRow
          key={`${chart.sense} ${chart.fields.join()} ${chart.of}`}
          chart={chart}
          range={shown}
          health={health}
        />
      ))}
      {charts.length > 0 ? null : (
        <div class="plot">
          <div class="l" />
          <div class="ar" />
          <div class="v" />
        </div>
      )}
      <Lanes range={shown} />
      <div
        class="axis"
        role="slider"
        tabIndex={0}
        aria-label="Time"
        aria-valuemin={shown.from}
        aria-valuemax={shown.to}
        aria-valuenow={at ?? shown.to}
        aria-valuetext={at === null ? "now" : clock(at)}
        onKeyDown={moveLine}
        onBlur={() => (hoverAt.value = null)}
      >
        <div />
        <Axis from={shown.from} to={shown.to} live={shown.live} />
        <div />
      </div>
      <Cross range={shown} />
    </div>
  );
}

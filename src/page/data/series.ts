/**
 * The lines of a sense over the range that is shown: once as a whole, then only their newest stretch, which takes the place of what
 * was there. Pixels lie on multiples of their width, so that the pieces fit.
 */
import { useEffect, useState } from "preact/hooks";
import type { SeriesAnswer, SeriesLine } from "../../web/contract-host.ts";
import { hostNow, paused } from "../state/clock.ts";
import type { Range } from "../state/range.ts";
import { apiPath, get } from "./api.ts";
import { shownAgain } from "./live.ts";
import { askSignalLines, type Stretch } from "./signal-lines.ts";

export interface Series {
  readonly lines: readonly SeriesLine[];
  readonly stepMs: number;
  readonly error: string | null;
  readonly loaded: boolean;
}

const NOTHING: Series = { lines: [], stepMs: 1, error: null, loaded: false };

const LEAST_PAUSE_MS = 2_000;
/** So many times a range is drawn anew while it moves by its own length. */
const STEPS_A_RANGE = 300;

/** On multiples of a pixel, a whole number of pixels long. */
export function stretchOf(from: number, to: number, width: number): Stretch {
  const stepMs = Math.max(1, Math.round((to - from) / Math.max(width, 1)));
  return { from: Math.floor(from / stepMs) * stepMs, to: Math.ceil(to / stepMs) * stepMs, stepMs };
}

const MAX_PIXELS = 2_000;

const pathOf = (sense: string, fields: readonly string[], { from, to, stepMs }: Stretch): string => {
  const width = Math.min(Math.max(Math.round((to - from) / stepMs), 1), MAX_PIXELS);
  return apiPath("series", { sense, field: fields, from, to, width });
};

/** `newer` in the place of what `older` has from its beginning on; what is before `from` goes. */
export function joinLines(
  older: readonly SeriesLine[],
  newer: readonly SeriesLine[],
  from: number,
  begin: number,
): SeriesLine[] {
  const key = ({ field, of }: SeriesLine): string => JSON.stringify([field, of]);
  const added = new Map(newer.map((line) => [key(line), line]));
  const joined = older.map((line): SeriesLine => {
    const tail = added.get(key(line));
    added.delete(key(line));
    const kept = line.at.flatMap((at, index) => (at >= from && at < begin ? [index] : []));
    const part = (values: readonly number[], more: readonly number[]): number[] => [
      ...kept.map((index) => values[index] ?? 0),
      ...more,
    ];
    return {
      ...line,
      at: part(line.at, tail?.at ?? []),
      min: part(line.min, tail?.min ?? []),
      max: part(line.max, tail?.max ?? []),
    };
  });
  return [...joined, ...added.values()];
}

/** How long after the newest pixel a value may still come: an answer is asked for this far back. */
const BACK_MS = 2_000;

interface Wish {
  readonly sense: string;
  readonly fields: readonly string[];
  /** Whether the sense exports the fields; else they are read off its signals. */
  readonly exported: boolean;
  readonly range: Range;
  readonly width: number;
}

/** A line of 600 pixels is worth five answers of signals, one of a hundred is worth one. */
const PIXELS_A_PAGE = 120;

async function ask({ sense, fields, exported, width }: Wish, stretch: Stretch, given: AbortSignal) {
  if (!exported) return askSignalLines(sense, fields, stretch, Math.max(1, Math.round(width / PIXELS_A_PAGE)), given);
  const answer = await get<SeriesAnswer>(pathOf(sense, fields, stretch), {}, given);
  return answer?.ok === true ? ({ ok: true, value: answer.value.lines } as const) : answer;
}

async function follow(wish: Wish, show: (series: Series) => void, given: AbortSignal): Promise<void> {
  const { range, width } = wish;
  const lengthMs = range.to - range.from;
  let lines: readonly SeriesLine[] = [];
  let begin: number | null = null;
  for (;;) {
    const end = range.live ? hostNow() : range.to;
    const all = stretchOf(end - lengthMs, end, width);
    const stretch = begin === null ? all : stretchAfter(begin, all);
    const answer = await ask(wish, stretch, given);
    if (answer === null || given.aborted) return;
    if (answer.ok) {
      lines = begin === null ? answer.value : joinLines(lines, answer.value, all.from, stretch.from);
      begin = Math.max(all.from, all.to - all.stepMs - BACK_MS);
      show({ lines, stepMs: all.stepMs, error: null, loaded: true });
    } else show({ lines, stepMs: all.stepMs, error: answer.message, loaded: true });
    if (!range.live) return;
    await wake(Math.max(LEAST_PAUSE_MS, lengthMs / STEPS_A_RANGE), given);
    if (given.aborted) return;
  }
}

const stretchAfter = (begin: number, { to, stepMs }: Stretch): Stretch => ({
  from: Math.floor(begin / stepMs) * stepMs,
  to,
  stepMs,
});

/** Resolves after `ms` in which the page was shown and not paused, or when it is given up. */
function wake(ms: number, given: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (given.aborted || !(paused.peek() || document.hidden)) return resolve();
      timer = setTimeout(look, LEAST_PAUSE_MS);
    };
    let timer = setTimeout(look, ms);
    given.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** `width` 0: nothing is asked for yet. */
export function useSeries({ sense, fields, exported, range, width }: Wish): Series {
  const [series, show] = useState<Series>(NOTHING);
  const span = range.live ? `${range.to - range.from}` : `${range.from} ${range.to}`;
  const again = shownAgain.value;
  useEffect(() => {
    if (width === 0 || fields.length === 0) return;
    const given = new AbortController();
    void follow({ sense, fields, exported, range, width }, show, given.signal);
    return () => given.abort();
  }, [sense, fields.join(), exported, span, width, again]);
  return series;
}

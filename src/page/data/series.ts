/**
 * The lines of a sense over the range that is shown: once as a whole, then only their newest stretch, which takes the place of what
 * was there. Pixels lie on multiples of their width, so that the pieces fit.
 */
import { useEffect, useState } from "preact/hooks";
import type { SeriesAnswer, SeriesLine } from "../../web/contract-host.ts";
import { hostNow, paused } from "../state/clock.ts";
import type { Range } from "../state/range.ts";
import { type Answer, apiPath, get } from "./api.ts";
import { shownAgain } from "./live.ts";
import { askSignalLines, type Stretch } from "./signal-lines.ts";

export interface Series {
  readonly lines: readonly SeriesLine[];
  readonly stepMs: number;
  readonly error: string | null;
  /** What was not looked at, in a sentence of the host; null: nothing. */
  readonly cut: string | null;
  readonly loaded: boolean;
}

const NOTHING: Series = { lines: [], stepMs: 1, error: null, cut: null, loaded: false };

const LEAST_PAUSE_MS = 2_000;
/** So many times a range is drawn anew while it moves by its own length. */
const STEPS_A_RANGE = 300;

/** On multiples of a pixel, a whole number of pixels long. */
export function stretchOf(from: number, to: number, width: number): Stretch {
  const stepMs = Math.max(1, Math.round((to - from) / Math.max(width, 1)));
  return { from: Math.floor(from / stepMs) * stepMs, to: Math.ceil(to / stepMs) * stepMs, stepMs };
}

const MAX_PIXELS = 2_000;

const pathOf = ({ sense, fields, of }: Wish, { from, to, stepMs }: Stretch): string => {
  const width = Math.min(Math.max(Math.round((to - from) / stepMs), 1), MAX_PIXELS);
  return apiPath("series", { sense, field: fields, key: of, from, to, width });
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
  /** Which line alone is asked for; null: all. */
  readonly of: string | null;
  /** The field is a word, as `status` of `host-health`: drawn from signals, for a series has numbers alone. */
  readonly isWord: boolean;
  readonly range: Range;
  readonly width: number;
}

interface Drawn {
  readonly lines: readonly SeriesLine[];
  readonly cut: string | null;
}

/** Where the time for one answer ran out, the rest of the stretch is asked for: so many times at most. */
const MOST_PIECES = 8;

async function ask(wish: Wish, stretch: Stretch, given: AbortSignal): Promise<Answer<Drawn> | null> {
  const { sense, fields, isWord } = wish;
  if (isWord) {
    const words = await askSignalLines(sense, fields, stretch, given);
    return words?.ok === true ? { ok: true, value: { lines: words.value, cut: null } } : words;
  }
  let path = pathOf(wish, stretch);
  let lines: readonly SeriesLine[] = [];
  let cut: string | null = null;
  for (let piece = 0; piece < MOST_PIECES; piece += 1) {
    const answer = await get<SeriesAnswer>(path, {}, given);
    if (answer === null || !answer.ok) return answer;
    const { lines: found, next } = answer.value;
    cut ??= answer.value.cut;
    // The newest piece comes first: each one stands before what is there.
    lines = joinLines(found, lines, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    if (next === null) break;
    path = withNext(path, next);
  }
  return { ok: true, value: { lines, cut } };
}

/** The same question for the rest: what `next` names takes the place of what the path has. */
export function withNext(path: string, next: string): string {
  const [base = "", search = ""] = path.split("?", 2);
  const query = new URLSearchParams(search);
  for (const [name, value] of new URLSearchParams(next)) query.set(name, value);
  return `${base}?${query}`;
}

async function follow(wish: Wish, show: (series: Series) => void, given: AbortSignal): Promise<void> {
  const { range, width } = wish;
  const lengthMs = range.to - range.from;
  let lines: readonly SeriesLine[] = [];
  let begin: number | null = null;
  let cut: string | null = null;
  for (;;) {
    const end = range.live ? hostNow() : range.to;
    const all = stretchOf(end - lengthMs, end, width);
    const stretch = begin === null ? all : stretchAfter(begin, all);
    const answer = await ask(wish, stretch, given);
    if (answer === null || given.aborted) return;
    if (answer.ok) {
      const { lines: found } = answer.value;
      // Only the first answer is of the whole stretch.
      if (begin === null) cut = answer.value.cut;
      lines = begin === null ? found : joinLines(lines, found, all.from, stretch.from);
      begin = Math.max(all.from, all.to - all.stepMs - BACK_MS);
      show({ lines, stepMs: all.stepMs, error: null, cut, loaded: true });
    } else show({ lines, stepMs: all.stepMs, error: answer.message, cut, loaded: true });
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
export function useSeries({ sense, fields, of, isWord, range, width }: Wish): Series {
  const [series, show] = useState<Series>(NOTHING);
  const span = range.live ? `${range.to - range.from}` : `${range.from} ${range.to}`;
  const again = shownAgain.value;
  useEffect(() => {
    if (width === 0 || fields.length === 0) return;
    const given = new AbortController();
    void follow({ sense, fields, of, isWord, range, width }, show, given.signal);
    return () => given.abort();
  }, [sense, fields.join(), of, isWord, span, width, again]);
  return series;
}

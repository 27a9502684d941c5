/** Owns `/api/v1/series`: numbers of one sense over time, thinned to what so many pixels can show, and no spike lost. */
import { readJson } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { numbersOf } from "../metrics/values.ts";
import { type Problem, problem } from "../model/problem.ts";
import { BETWEEN, columnsOf, type SeriesTable } from "../model/series.ts";
import { openReader } from "../sqlite/open.ts";
import { timeOrderOf } from "../sqlite/time-order.ts";
import type { StoreReader } from "../store/open-reader.ts";
import type { SeriesAnswer } from "./contract-host.ts";
import type { KernelLink } from "./kernel-link.ts";
import { Pixels } from "./pixels.ts";
import type { Place } from "./place.ts";
import { many, type Parameters, time, whole, words } from "./query.ts";
import { MOST_SIGNALS, readSignals } from "./series-signals.ts";
import { readTable, type Span } from "./series-table.ts";
import type { Slices } from "./slices.ts";

const HOUR_MS = 3_600_000;
const WIDTH = 600;
const MOST_WIDTH = 2_000;
const MOST_FIELDS = 10;

export const SERIES_QUERY = { sense: words, field: many, key: many, from: time, to: time, width: whole(1, MOST_WIDTH) };

type Query = Parameters<typeof SERIES_QUERY>;

const bad = (message: string, hint: string | null = null): { readonly ok: false; readonly error: Problem } =>
  err(problem("bad-parameter", message, hint));

const TIME_IS_OVER = "the time for one answer ran out: `next` goes on from there";

export async function seriesAnswer(
  place: Place,
  link: KernelLink,
  store: StoreReader,
  query: Query,
  slices: Slices,
): Promise<Result<SeriesAnswer, Problem>> {
  const { sense } = query;
  if (sense === null) return bad("`sense` must be given: the name of a sense");
  if (!place.config.senses.has(sense)) {
    return err(problem("unknown-sense", `there is no sense \`${sense}\``, "/api/v1/senses lists them"));
  }
  const span = spanOf(query);
  if (!span.ok) return span;
  const table = (await link.look())?.series[sense] ?? null;
  return table === null
    ? ofSignals(store, sense, query, span.value, slices)
    : ofTable(place.senseFile(sense), sense, table, query, span.value, slices);
}

function spanOf(query: Query): Result<Span, Problem> {
  const to = query.to ?? Date.now();
  const from = query.from ?? Math.max(0, to - HOUR_MS);
  if (from >= to) return bad(`\`from\` must be a time before \`to\`, which is ${to}`);
  return ok({ from, to, stepMs: Math.max(1, Math.ceil((to - from) / (query.width ?? WIDTH))) });
}

const widthOf = ({ from, to, stepMs }: Span): number => Math.ceil((to - from) / stepMs);

/** Those that are asked for, or the first of those that there are. */
function fieldsOf(asked: readonly string[], known: readonly string[]): Result<readonly string[], Problem> {
  const fields = asked.length === 0 ? known.slice(0, MOST_FIELDS) : [...new Set(asked)];
  if (fields.length > MOST_FIELDS) return bad(`\`field\` must be given ${MOST_FIELDS} times at most`);
  const stranger = fields.find((field) => !known.includes(field));
  if (stranger === undefined) return ok(fields);
  return bad(`\`field\` must be one of ${known.join(", ")}`, `there is no \`${stranger}\``);
}

async function ofTable(
  file: string,
  sense: string,
  table: SeriesTable,
  query: Query,
  span: Span,
  slices: Slices,
): Promise<Result<SeriesAnswer, Problem>> {
  const fields = fieldsOf(
    query.field,
    table.numbers.map(({ name }) => name),
  );
  if (!fields.ok) return fields;
  if (table.by.length === 0 && query.key.length > 0) {
    return bad("`key` must be left out: each field of this sense has one line");
  }
  const unreadable = (message: string): Result<never, Problem> =>
    err(problem("series-unreadable", `the numbers of \`${sense}\` cannot be read: ${message}`));
  const opened = openReader(file);
  if (!opened.ok) return unreadable(opened.error.message);
  const pixels = new Pixels(widthOf(span), fields.value.length);
  try {
    const order = timeOrderOf(opened.value, { ...table, columns: columnsOf(table) });
    if (order.kind === "fault") return unreadable(order.message);
    const question = { table, index: order.index, fields: fields.value, keys: query.key, span };
    const reached = await readTable(opened.value, question, pixels, slices);
    const seen = { lookedTo: reached, cut: reached > span.from ? TIME_IS_OVER : null };
    return ok(answerOf({ sense, table, fields: fields.value, span, source: "table", seen, pixels }));
  } catch (error) {
    return unreadable((error as Error).message);
  } finally {
    opened.value.close();
  }
}

async function ofSignals(
  store: StoreReader,
  sense: string,
  query: Query,
  span: Span,
  slices: Slices,
): Promise<Result<SeriesAnswer, Problem>> {
  if (query.key.length > 0) return bad("`key` must be left out: this sense exports no `series`");
  // Numbers may come and go: whatever path is asked for is looked for.
  const fields = query.field.length === 0 ? newestNumbers(store, sense) : [...new Set(query.field)];
  if (fields.length > MOST_FIELDS) return bad(`\`field\` must be given ${MOST_FIELDS} times at most`);
  const pixels = new Pixels(widthOf(span), Math.max(1, fields.length));
  const { lookedTo, end } = await readSignals(store, { sense, fields, span }, pixels, slices);
  const cut = {
    whole: null,
    signals: `only the newest ${MOST_SIGNALS.toLocaleString("en")} signals were read: the sense exports no \`series\``,
    time: "the time for one answer ran out before all signals were read",
  }[end];
  return ok(answerOf({ sense, table: null, fields, span, source: "signals", seen: { lookedTo, cut }, pixels }));
}

/** The numbers of the newest payload that is near. */
function newestNumbers({ signals }: StoreReader, sense: string): readonly string[] {
  const last = signals.lastId();
  const page = { after: Math.max(0, last - MOST_SIGNALS), before: null, since: null, until: null, trace: null };
  const [newest] = signals.list({ ...page, senses: [sense], limit: 1, newest: true });
  const { values } = numbersOf(readJson(newest?.payload ?? "null") ?? null, "all");
  return [...values.keys()].slice(0, MOST_FIELDS);
}

interface Findings {
  readonly sense: string;
  readonly table: SeriesTable | null;
  readonly fields: readonly string[];
  readonly span: Span;
  readonly source: SeriesAnswer["source"];
  readonly seen: { readonly lookedTo: number; readonly cut: string | null };
  readonly pixels: Pixels;
}

function answerOf({ sense, table, fields, span, source, seen, pixels }: Findings): SeriesAnswer {
  const { from, to, stepMs } = span;
  const pixel = Math.floor((seen.lookedTo - from) / stepMs);
  // A pixel of which a part was read comes with the rest of it, unless it is all that there is.
  const isPart = seen.lookedTo > from + pixel * stepMs && (pixel + 1) * stepMs < to - from;
  if (isPart) pixels.forget(pixel);
  const lookedTo = isPart ? from + (pixel + 1) * stepMs : seen.lookedTo;
  const hasMore = seen.cut === TIME_IS_OVER && lookedTo > from;
  const units = new Map(table?.numbers.map(({ name, unit }) => [name, unit]));
  return {
    sense,
    from,
    to,
    step_ms: stepMs,
    source,
    by: table === null || table.by.length === 0 ? null : table.by.join(BETWEEN),
    cut: seen.cut ?? (pixels.isCut ? "there are more lines than one answer has room for: `key` chooses" : null),
    looked_to: lookedTo,
    next: hasMore ? `to=${lookedTo}&width=${Math.ceil((lookedTo - from) / stepMs)}` : null,
    lines: pixels.lines().map(({ field, of, pixels: found, min, max }) => {
      const name = fields[field] ?? "";
      return { field: name, unit: units.get(name) ?? null, of, at: found.map((at) => from + at * stepMs), min, max };
    }),
  };
}

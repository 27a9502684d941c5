/**
 * Owns the lists of the API: rows of one table in the order of their ids, from the newest back or from a cursor on, window by
 * window, so that no question reads more than a slice at once.
 */
import { err, ok, type Result } from "../base/result.ts";
import { INCIDENT_STATES } from "../model/incident.ts";
import type { Incident } from "../model/incident-row.ts";
import { LOG_LEVELS, type Log } from "../model/log.ts";
import { type Problem, problem } from "../model/problem.ts";
import { ACTIVE_STATES, ENDINGS } from "../model/run.ts";
import { logJson, runJson, type ShownLog, type ShownRun, type ShownSignal, signalJson } from "../model/shown-rows.ts";
import type { LogFilter } from "../store/logs.ts";
import type { StoreReader } from "../store/open-reader.ts";
import { CLOCK_SLACK_MS } from "../store/search.ts";
import type { Listing } from "./contract.ts";
import { choice, id, many, manyOf, type Parameters, time, trace, whole, words } from "./query.ts";
import { SLICE_ROWS, Slices } from "./slices.ts";

const MOST_ROWS = 200;
const ROWS = 50;
/** Payloads may be large: a page of rows ends once it holds so many characters. */
const MOST_CHARACTERS = 1024 * 1024;
/** A set clock may have put rows of a time so many rows away. */
const SLACK_ROWS = 8_192;

const RANGE = { limit: whole(1, MOST_ROWS), before: id, after: id, since: time, until: time, trace };

export const SIGNALS_QUERY = { ...RANGE, sense: many };
export const LOGS_QUERY = { ...RANGE, level: choice(...LOG_LEVELS), source: many, event: many, text: words };
export const RUNS_QUERY = { ...RANGE, workflow: many, state: manyOf(...ACTIVE_STATES, ...ENDINGS), reflex: many };
export const INCIDENTS_QUERY = { ...RANGE, reflex: many, state: manyOf(...INCIDENT_STATES) };
export const DEATHS_QUERY = RANGE;

type Range = Parameters<typeof RANGE>;
type Answer<Row> = Promise<Result<Listing<Row>, Problem>>;

/** A stretch of ids, both ends left out, of which `limit` rows are wanted. */
interface Window {
  readonly after: number;
  readonly before: number;
  readonly limit: number;
  readonly newest: boolean;
}

/** Rows of a window that pass, in the order of their ids; and how far the window reached, where that is another stretch. */
interface Piece<Row> {
  readonly rows: readonly Row[];
  /** The lowest and the highest id that was looked at. */
  readonly from: number;
  readonly to: number;
}

interface Table<Row> {
  readonly firstIdSince: (at: number) => number;
  readonly lastId: number;
  /** Null: the deadline came first. */
  readonly read: (window: Window, slices: Slices) => Promise<Piece<Row> | null>;
}

function boundsOf<Row>({ firstIdSince, lastId }: Table<Row>, { since, until, before, after }: Range): [number, number] {
  const first = since === null ? 1 : Math.max(1, firstIdSince(since - CLOCK_SLACK_MS) - SLACK_ROWS);
  const last = until === null ? lastId : Math.min(lastId, firstIdSince(until + CLOCK_SLACK_MS + 1) + SLACK_ROWS);
  return [Math.max(first, (after ?? 0) + 1), Math.min(last, (before ?? Number.POSITIVE_INFINITY) - 1)];
}

/** As many of the newest `rows` (or oldest, with `after`) as one answer may hold. */
function fitting<Row>(rows: readonly Row[], newest: boolean, room: number): number {
  let left = room;
  let count = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[newest ? rows.length - 1 - at : at];
    left -= JSON.stringify(row).length;
    if (left < 0 && count > 0) break;
    count++;
  }
  return count;
}

async function listed<Row extends { readonly id: number }>(table: Table<Row>, range: Range): Answer<Row> {
  if (range.before !== null && range.after !== null) {
    return err(problem("bad-parameter", "`before` and `after` go in two directions", "give one of them"));
  }
  const newest = range.after === null;
  const wanted = range.limit ?? ROWS;
  const slices = new Slices();
  const found: Row[] = [];
  let [first, last] = boundsOf(table, range);
  let isFull = false;
  while (first <= last && found.length < wanted && !slices.isOver) {
    const limit = wanted - found.length;
    const window = newest
      ? { after: Math.max(first, last - SLICE_ROWS + 1) - 1, before: last + 1, limit, newest }
      : { after: first - 1, before: Math.min(last, first + SLICE_ROWS - 1) + 1, limit, newest };
    const piece = await table.read(window, slices);
    if (piece === null) break;
    if (newest) found.unshift(...piece.rows);
    else found.push(...piece.rows);
    isFull = found.length >= wanted;
    if (newest) last = isFull ? (found[0]?.id ?? last) - 1 : piece.from - 1;
    else first = isFull ? (found.at(-1)?.id ?? first) + 1 : piece.to + 1;
    await slices.rest();
  }
  const count = fitting(found, newest, MOST_CHARACTERS);
  const rows = newest ? found.slice(found.length - count) : found.slice(0, count);
  if (count < found.length && newest) last = (rows[0]?.id ?? last) - 1;
  if (count < found.length && !newest) first = (rows.at(-1)?.id ?? first) + 1;
  const hasMore = first <= last;
  return ok({
    rows,
    next: hasMore ? (newest ? `before=${last + 1}` : `after=${first - 1}`) : null,
    short: hasMore && count === found.length && !isFull,
    looked_to: newest ? last + 1 : first - 1,
  });
}

/** A table whose windows are one query each. */
const plain =
  <Row>(list: (window: Window) => readonly Row[]) =>
  (window: Window): Promise<Piece<Row>> =>
    Promise.resolve({ rows: list(window), from: window.after + 1, to: window.before - 1 });

export function signals({ signals: table }: StoreReader, range: Parameters<typeof SIGNALS_QUERY>): Answer<ShownSignal> {
  const { sense, since, until, trace: wanted } = range;
  const read = plain<ShownSignal>((window) =>
    table.list({ ...window, senses: sense, since, until, trace: wanted }).map(signalJson),
  );
  return listed({ firstIdSince: table.firstIdSince, lastId: table.lastId(), read }, range);
}

export function runs({ runs: table }: StoreReader, range: Parameters<typeof RUNS_QUERY>): Answer<ShownRun> {
  const { workflow, state, reflex, since, until, trace: wanted } = range;
  const filter = { workflows: workflow, states: state, reflexes: reflex, since, until, trace: wanted };
  const read = plain<ShownRun>((window) => table.list({ ...window, ...filter }).map(runJson));
  return listed({ firstIdSince: () => 1, lastId: table.lastId(), read }, { ...range, until: null });
}

export function incidents(
  { incidents: table }: StoreReader,
  range: Parameters<typeof INCIDENTS_QUERY>,
): Answer<Incident> {
  const { state, reflex, since, until, trace: wanted } = range;
  const filter = { states: state, reflexes: reflex, since, until, trace: wanted };
  const read = plain<Incident>((window) => table.list({ ...window, ...filter }));
  return listed({ firstIdSince: () => 1, lastId: table.newestId(), read }, { ...range, until: null });
}

type Passes = (log: Log) => boolean;

function logsThrough(
  { logs: table, history, windows }: StoreReader,
  range: Range,
  filter: Pick<LogFilter, "sources" | "level">,
  choose: Passes | null,
): Answer<ShownLog> {
  const { since, until, trace: wanted } = range;
  const read = async (window: Window, slices: Slices): Promise<Piece<ShownLog> | null> => {
    const stretch = { ...window, ...filter, since, until, trace: wanted, choose };
    const piece = await slices.run(windows.window(stretch));
    return piece === null ? null : { ...piece, rows: piece.rows.map(logJson) };
  };
  return listed({ firstIdSince: (at) => history.firstIdSince(at), lastId: table.lastId(), read }, range);
}

export function logs(store: StoreReader, range: Parameters<typeof LOGS_QUERY>): Answer<ShownLog> {
  const { level, source, event, text } = range;
  const part = text?.toLowerCase() ?? null;
  const passes: Passes | null =
    event.length === 0 && part === null
      ? null
      : (log) =>
          (event.length === 0 || event.includes(log.event)) &&
          (part === null || log.message.toLowerCase().includes(part));
  return logsThrough(store, range, { sources: source, level }, passes);
}

export const deaths = (store: StoreReader, range: Parameters<typeof DEATHS_QUERY>): Answer<ShownLog> =>
  logsThrough(store, range, { sources: ["kernel"], level: "warn" }, ({ event }) => event === "worker.exited");

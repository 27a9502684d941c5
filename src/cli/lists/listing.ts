/** Owns the common part of `signals`, `logs` and `runs`: the choice and order of rows, and the following of new rows. */

import { safeJson } from "../../base/escape.ts";
import { localDay } from "../../base/local-time.ts";
import { ok, type Result } from "../../base/result.ts";
import { parseSince } from "../../base/times.ts";
import { soughtFrom } from "../../base/trace-id.ts";
import { CLOCK_SLACK_MS } from "../../store/search.ts";
import { flag, text, texts } from "../frame/command.ts";
import { FOUND_DAMAGE } from "../frame/found-damage.ts";
import { type Failure, usageError } from "../frame/outcome.ts";
import { printProblems } from "../screen/failure.ts";
import { timeColumn } from "../screen/rows.ts";
import {
  print,
  renderLine,
  renderLines,
  type Screen,
  type Span,
  span,
  stdoutScreen,
  wrapLines,
} from "../screen/terminal.ts";

export const LIST_OPTIONS = {
  follow: flag("go on with what comes, until Ctrl-C", "f"),
  sense: texts("NAME", "only of this sense"),
  since: text("WHEN", "only from then on: 90s, 1h, 7d, 2026-11-22 or '2026-11-22 10:30'"),
  until: text("WHEN", "only up to then, written as for --since"),
  after: text("ID", "everything above this id, oldest first: a cursor"),
  trace: text("TRACE", "only of this trace (32 hex digits)"),
  limit: text("N", "at most N: the newest, or with --after the first (default 20, none with --after or --since)", "n"),
  wide: flag("whole lines, however narrow the terminal is"),
} as const;

export interface Range {
  readonly after: number | null;
  readonly since: number | null;
  readonly until: number | null;
  readonly trace: string | null;
  /** Infinity where there is no limit. */
  readonly limit: number;
  readonly follow: boolean;
}

interface RangeOptions {
  readonly follow: boolean;
  readonly since: string | null;
  readonly until: string | null;
  readonly after: string | null;
  readonly trace: string | null;
  readonly limit: string | null;
}

const DEFAULT_LIMIT = 20;
/** The rows of one query. Memory stays bounded however long the list is. */
const PAGE = 1_000;
export const POLL_MS = 150;
/** A search by time also begins some rows earlier. */
const SLACK_ROWS = 8_192;

const wholeNumber = (given: string): number | null => {
  const value = Number(given);
  return /^\d{1,15}$/.test(given) && Number.isSafeInteger(value) ? value : null;
};

function parseTime(option: "since" | "until", given: string | null, now: number): Result<number | null, Failure> {
  const at = given === null ? null : parseSince(given, now);
  if (given === null || at !== null) return ok(at);
  const hint = "as in 90s, 1h, 7d, 2026-11-22 or '2026-11-22 10:30'";
  return usageError(`\`--${option}\` takes a time, not \`${given}\``, hint);
}

export function parseRange(options: RangeOptions, now: number): Result<Range, Failure> {
  const after = options.after === null ? null : wholeNumber(options.after);
  if (after === null && options.after !== null) return usageError(`\`--after\` takes an id, not \`${options.after}\``);
  const since = parseTime("since", options.since, now);
  if (!since.ok) return since;
  const until = parseTime("until", options.until, now);
  if (!until.ok) return until;
  if (until.value !== null && options.follow) {
    return usageError("`--until` ends a list, and `--follow` goes on with it", "give one of them");
  }
  if (since.value !== null && until.value !== null && until.value < since.value) {
    return usageError(`\`--until ${options.until}\` is before \`--since ${options.since}\``, "swap them");
  }
  const trace = options.trace?.toLowerCase() ?? null;
  if (trace !== null && !/^[0-9a-f]{32}$/.test(trace)) {
    return usageError(
      `--trace takes 32 hex digits, not \`${options.trace}\``,
      "`nerve show` finds a trace by its beginning",
    );
  }
  const limit = options.limit === null ? null : wholeNumber(options.limit);
  if (limit === null && options.limit !== null)
    return usageError(`\`--limit\` takes a whole number, not \`${options.limit}\``);
  const unlimited = after !== null || since.value !== null || trace !== null;
  return ok({
    after,
    since: since.value,
    until: until.value,
    trace,
    limit: limit ?? (unlimited ? Number.POSITIVE_INFINITY : DEFAULT_LIMIT),
    follow: options.follow,
  });
}

/** The beginning of a search by `since` or `trace`, for `Source.begin`. With neither, the search begins at the first row. */
export function beginning({ since, trace }: Range, firstIdSince: (at: number) => number): number {
  const earliest = trace === null ? since : soughtFrom(trace, Date.now());
  return earliest === null ? 0 : Math.max(0, firstIdSince(earliest - CLOCK_SLACK_MS) - 1 - SLACK_ROWS);
}

export interface Page<Row> {
  /** In id order. */
  readonly rows: readonly Row[];
  /** The error that keeps the rest from being read. `list` throws it after these rows are shown. */
  readonly damage: Error | null;
}

export const whole = <Row>(rows: readonly Row[]): Page<Row> => ({ rows, damage: null });

/** A table of the store, behind a filter. */
export interface Source<Row> {
  /** Rows from `after` upwards, or the newest rows. */
  page(after: number, limit: number, newest: boolean): Page<Row>;
  /** One less than the first id that may matter for `since` or `trace`. */
  begin(): number;
  lastId(): number;
  version(): number;
}

export interface Listing<Row> {
  readonly source: Source<Row>;
  /** The line, or lines, of a row. */
  readonly show: (row: Row) => string;
  readonly json: boolean;
}

/** Prints the rows of `range`, and with `follow` every new row. Returns the number of printed rows when the listing ends. */
export async function list<Row extends { readonly id: number }>(
  { source, show, json }: Listing<Row>,
  range: Range,
): Promise<number> {
  let cursor = 0;
  let printed = 0;
  let left = range.limit;
  const take = ({ rows, damage }: Page<Row>): number => {
    if (rows.length > 0) print(rows.map(show).join("\n"));
    if (damage !== null) throw damage;
    printed += rows.length;
    cursor = rows.at(-1)?.id ?? cursor;
    return rows.length;
  };
  const drain = (): void => {
    const end = source.lastId();
    while (left > 0) {
      const taken = take(source.page(cursor, Math.min(PAGE, left), false));
      left -= taken;
      if (taken < PAGE) break;
    }
    // The next read also skips the rows that the filter removed.
    cursor = Math.max(cursor, end);
  };
  // The version is read before the rows: a commit during the read then causes another read.
  let version = source.version();
  const fromCursor = range.after !== null || !Number.isFinite(range.limit);
  const readFrom = (begin: number): void => {
    if (fromCursor) {
      cursor = begin;
      return drain();
    }
    const end = source.lastId();
    if (left > 0) take(source.page(begin, left, true));
    cursor = Math.max(cursor, end);
  };
  readFrom(range.after ?? source.begin());
  // The rows of the trace may lie elsewhere: another program made the trace's id, or a clock was set.
  if (printed === 0 && range.trace !== null && range.after === null) readFrom(0);
  if (!range.follow) return printed;
  // The limit was for the newest rows at the beginning. After a cursor the limit ends the listing.
  if (range.after === null) left = Number.POSITIVE_INFINITY;
  while (left > 0) {
    printProblems(FOUND_DAMAGE.take(), json);
    const now = source.version();
    if (now !== version) {
      version = now;
      drain();
    } else await Bun.sleep(POLL_MS);
  }
  return printed;
}

/** The form in which rows are shown. */
export interface Shape {
  readonly json: boolean;
  readonly wide: boolean;
}

/** The margin below the first line of a row. */
const MARGIN = [span("    ")];

/**
 * Shows a row as JSON, or as a line with its time and a further line for each further line of its text. `cut` cuts a line that
 * is too long for the terminal. `wrapped` continues the line below: the end of a message often holds the remedy.
 */
export function rowPrinter<Row extends { readonly at: number }>(
  { json, wide }: Shape,
  tooLong: "cut" | "wrapped",
  toJson: (row: Row) => object,
  toSpans: (row: Row, screen: Screen) => readonly Span[],
): (row: Row) => string {
  if (json) return (row) => safeJson(toJson(row));
  const screen = wide ? { ...stdoutScreen(), width: null } : stdoutScreen();
  const timeOf = timeColumn(screen.terminal, localDay(Date.now()));
  return (row) => {
    const { heading, time } = timeOf(row.at);
    const spans = [time, ...toSpans(row, screen)];
    const line = (tooLong === "cut" ? renderLines(spans, screen) : wrapLines(spans, MARGIN, screen)).join("\n");
    return heading === null ? line : `${renderLine(heading, screen)}\n${line}`;
  };
}

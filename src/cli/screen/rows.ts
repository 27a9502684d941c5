/** Owns rows of signals and logs as text: one line for people, or one JSON object with the columns as keys. */

import { escapeForTerminal } from "../../base/escape.ts";
import { parseStored } from "../../base/json.ts";
import { localDay, localMoment, localTime } from "../../base/local-time.ts";
import { fullNameOf } from "../../model/full-name.ts";
import type { Log, LogLevel } from "../../model/log.ts";
import type { Signal } from "../../model/signal.ts";
import { payloadSpans } from "./payload.ts";
import { escapeLines, type Screen, type Span, type Style, span } from "./terminal.ts";

export const LEVEL_STYLES: Readonly<Record<LogLevel, Style | null>> = {
  debug: "dim",
  info: null,
  warn: "yellow",
  error: "red",
};

/** The width of the column of names, so that the text after it is aligned. */
const NAME_WIDTH = 22;

export const padded = (text: string): string => `${escapeForTerminal(text).padEnd(NAME_WIDTH)} `;

export const signalSpans = (row: Signal, screen: Screen): Span[] => [
  span(padded(`${fullNameOf(row)} #${row.id}`), "cyan"),
  ...payloadSpans(parseStored(row.payload), screen),
];

const levelSpan = (level: LogLevel): Span[] => (level === "info" ? [] : [span(`${level} `, LEVEL_STYLES[level])]);

export const logSpans = (row: Log, screen: Screen): Span[] => [
  span(padded(row.source), LEVEL_STYLES[row.level] ?? "cyan"),
  ...messageSpans(row, screen),
];

/** Shows only the part of `data` that the message does not hold. A stack or an object of the author's is in `--json`. */
export const messageSpans = (row: Log, screen: Screen): Span[] => [
  ...levelSpan(row.level),
  span(escapeLines(row.message)),
  ...(row.event === "log" ? authorData(row.data, screen) : []),
];

function authorData(data: string | null, screen: Screen): Span[] {
  const parsed = data === null ? null : parseStored(data);
  return parsed === null ? [] : [span("  "), ...payloadSpans(parsed, screen)];
}

/** The times of a list. On a terminal the day stands once above its rows; in a pipe each row has the day. */
export function timeColumn(terminal: boolean, today: string): (at: number) => { heading: Span[] | null; time: Span } {
  let day = today;
  return (at) => {
    if (!terminal) return { heading: null, time: span(`${localMoment(at)}  `) };
    const is = localDay(at);
    const heading = is === day ? null : [span(`── ${is}`, "dim")];
    day = is;
    return { heading, time: span(`${localTime(at)}  `, "dim") };
  };
}

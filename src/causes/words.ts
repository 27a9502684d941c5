/** Owns the words of an answer: moments, both absolute and relative, and texts from outside in one short line. */
import { localDay, localTime } from "../base/local-time.ts";
import { oneLine } from "../base/one-line.ts";
import { ago, duration } from "../base/times.ts";

const SECONDS = "hh:mm:ss".length;
const MAX_TEXT = 240;

/** `02:14:07`, with the day in front where the day is not that of `now`. */
export function clock(at: number, now: number): string {
  const time = localTime(at).slice(0, SECONDS);
  const day = localDay(at);
  return day === localDay(now) ? time : `${day} ${time}`;
}

/** `02:14:07 (2h 3m ago)`, `07:00:00 (in 4h)`. */
export const moment = (at: number, now: number): string => `${clock(at, now)} (${ago(at, now)})`;

/** `from 02:14:07 to 02:20:07`. */
export const span = (from: number, to: number, now: number): string => `from ${clock(from, now)} to ${clock(to, now)}`;

export const lasted = (ms: number): string => duration(Math.max(0, Math.round(ms / 1_000) * 1_000));

/** Without the stop at its end: the sentence brings one. */
export const short = (text: string): string => oneLine(text, MAX_TEXT).replace(/[.;,:\s]+$/, "");

/** `a`, `a and b`, `a, b and c`. */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

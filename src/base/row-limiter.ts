/** Bounds what something noisy may say: so many rows a second, so many unacknowledged; the rest is counted in one row. */
import { exceedsBytes } from "./json.ts";

export interface RowLimiter<Row> {
  offer(row: Row): void;
  /** Takes note of `count` rows that are not worth making, when this second's are used up: false while they are not. */
  skip(count: number): boolean;
  /** `rows` of what was posted have been taken by the reader. */
  credit(rows: number): void;
  /** Posts the count of what was dropped so far and stops. */
  finish(): void;
}

export interface RowLimits<Row> {
  readonly perSecond: number;
  /** Posted rows that may be unacknowledged at one time; Infinity where nobody acknowledges. */
  readonly credit: number;
  readonly post: (row: Row) => void;
  /** The row that stands for `count` dropped ones. */
  readonly dropped: (count: number) => Row;
}

const SUMMARY_MS = 1_000;

export function rowLimiter<Row>(limits: RowLimits<Row>): RowLimiter<Row> {
  const { perSecond, post } = limits;
  let left = limits.credit;
  let second = 0;
  let inSecond = 0;
  let dropped = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;
  const report = (): void => {
    timer = null;
    if (dropped === 0) return;
    post(limits.dropped(dropped));
    dropped = 0;
  };
  const skip = (count: number): boolean => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) {
      second = now;
      inSecond = 0;
    }
    if (inSecond < perSecond && left > 0) return false;
    dropped += count;
    timer ??= setTimeout(report, SUMMARY_MS);
    return true;
  };
  return {
    skip,
    offer(row) {
      if (skip(1)) return;
      inSecond++;
      left--;
      post(row);
    },
    credit(rows) {
      left = Math.min(limits.credit, left + rows);
    },
    finish() {
      if (timer) clearTimeout(timer);
      report();
    },
  };
}

export const OUTPUT_ROWS_PER_SECOND = 100;
export const OUTPUT_LINE_LENGTH = 8 * 1024;

/** Cuts a line to {@link OUTPUT_LINE_LENGTH} bytes of UTF-8, between two characters, and says how many were left out. */
export function clipLine(line: string): string {
  if (!exceedsBytes(line, OUTPUT_LINE_LENGTH)) return line;
  const { read } = new TextEncoder().encodeInto(line, new Uint8Array(OUTPUT_LINE_LENGTH));
  return `${line.slice(0, read)}… (${line.length - read} more characters)`;
}

export const droppedLines = (count: number): string =>
  `${count} more lines were dropped: at most ${OUTPUT_ROWS_PER_SECOND} a second are kept`;

/** Owns the reading of signals for a chart, for a sense that exports no `series`: from the newest back, so many and no more. */
import { readJson } from "../base/json.ts";
import { numbersOf } from "../metrics/values.ts";
import type { StoreReader } from "../store/open-reader.ts";
import { ALL_SIGNALS } from "../store/signals.ts";
import type { Pixels } from "./pixels.ts";
import type { Span } from "./series-table.ts";
import { SLICE_ROWS, type Slices } from "./slices.ts";

/** So many signals of the store are looked at, whosever they are. */
export const MOST_SIGNALS = 50_000;

export interface SignalsQuestion {
  readonly sense: string;
  /** Dotted paths in the payload. */
  readonly fields: readonly string[];
  readonly span: Span;
}

export interface SignalsLookedAt {
  /** The time from which on everything in the span was read. */
  readonly lookedTo: number;
  readonly end: "whole" | "signals" | "time";
}

export async function readSignals(
  { signals }: Pick<StoreReader, "signals">,
  { sense, fields, span: { from, to, stepMs } }: SignalsQuestion,
  pixels: Pixels,
  slices: Slices,
): Promise<SignalsLookedAt> {
  const last = signals.lastId();
  const lowest = Math.max(0, last - MOST_SIGNALS, signals.firstIdSince(from) - 1);
  let lookedTo = to;
  for (let before = last + 1; before > lowest + 1; ) {
    const after = Math.max(lowest, before - 1 - SLICE_ROWS);
    const rows = signals.list({ ...ALL_SIGNALS, after, before, senses: [sense], since: from, until: to - 1 });
    for (const { at, payload } of rows.reverse()) {
      const { values } = numbersOf(readJson(payload) ?? null, fields);
      for (const [field, path] of fields.entries()) {
        const value = values.get(path);
        if (value !== undefined) pixels.add(null, field, Math.floor((at - from) / stepMs), value, value);
      }
      await slices.rest();
    }
    lookedTo = Math.min(lookedTo, rows.at(-1)?.at ?? to);
    before = after + 1;
    if (slices.isOver && before > lowest + 1) return { lookedTo, end: "time" };
    await slices.rest();
  }
  const isWhole = lowest === 0 || lowest > last - MOST_SIGNALS;
  return isWhole ? { lookedTo: from, end: "whole" } : { lookedTo, end: "signals" };
}

/** Owns the feed of a replay with the signals in the store, page by page. Memory stays bounded for any number of signals. */

import { drained } from "../base/drained.ts";
import { fullyNamed } from "../model/signal.ts";
import type { Replay } from "../rules/replay.ts";
import type { StoreReader } from "../store/open-reader.ts";
import { ALL_SIGNALS } from "../store/signals.ts";

const PAGE = 5_000;
/** So many signals are fed between two pauses. */
const PAUSE = 200;

/** At most this many damaged payloads are named. */
const NAMED = 100;

export interface Fed {
  /** The number of signals. */
  readonly signals: number;
  /** The first signals whose payload was needed and is no JSON. */
  readonly unreadable: readonly number[];
}

/** Earlier than every time stamp. */
export const ALWAYS = Number.NEGATIVE_INFINITY;

export interface Stretch {
  /** Ids, both included. */
  readonly from: number;
  readonly to: number;
  /** Unix milliseconds. Signals with an earlier stamp are skipped, even where a set clock put them after `from`. */
  readonly since: number;
}

export const replaySignals = (store: StoreReader, replay: Replay, stretch: Stretch): Fed =>
  drained(replayingSignals(store, replay, stretch));

/** Feeds the signals of a stretch, with pauses. Signals of senses that no reflex listens to are not read. */
export function* replayingSignals(
  { signals }: StoreReader,
  replay: Replay,
  { from, to, since }: Stretch,
): Generator<void, Fed> {
  const { senses } = replay;
  const unreadable: number[] = [];
  let fed = 0;
  if (senses.length === 0) return { signals: fed, unreadable };
  for (let after = from - 1; after < to; ) {
    const page = signals.replayable({ ...ALL_SIGNALS, senses, after, limit: PAGE });
    for (const signal of page) {
      if (signal.id > to) return { signals: fed, unreadable };
      // No reflex looked at a signal that was too old on arrival.
      if (signal.at < since || signal.late !== null) continue;
      const isRead = replay.feed(fullyNamed(signal));
      if (!isRead && unreadable.length < NAMED) unreadable.push(signal.id);
      if (++fed % PAUSE === 0) yield;
    }
    if (page.length < PAGE) break;
    after = page.at(-1)?.id ?? to;
  }
  return { signals: fed, unreadable };
}

/** Feeds what the store still has of signals to a replay, page by page: memory stays bounded however many there are. */
import type { Replay } from "../../rules/replay.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { EVERY_SIGNAL } from "./recorded.ts";

const PAGE = 5_000;

/** Damaged payloads that are named, at most. */
const NAMED = 100;

export interface Fed {
  /** How many there were. */
  readonly signals: number;
  /** The first of those whose payload is no JSON, and was needed. */
  readonly unreadable: readonly number[];
}

/** Signals with ids from `from` up to `to`, of the senses somebody listens to. */
export function replaySignals({ signals }: StoreReader, replay: Replay, from: number, to: number): Fed {
  const { senses } = replay;
  const unreadable: number[] = [];
  let fed = 0;
  if (senses.length === 0) return { signals: fed, unreadable };
  for (let after = from - 1; after < to; ) {
    const page = signals.list({ ...EVERY_SIGNAL, senses, after, limit: PAGE });
    for (const signal of page) {
      if (signal.id > to) return { signals: fed, unreadable };
      const isRead = replay.feed(signal);
      if (!isRead && unreadable.length < NAMED) unreadable.push(signal.id);
      fed++;
    }
    if (page.length < PAGE) break;
    after = page.at(-1)?.id ?? to;
  }
  return { signals: fed, unreadable };
}

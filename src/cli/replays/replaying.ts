/** Feeds what the store still has of signals to a replay, page by page: memory stays bounded however many there are. */
import type { Replay } from "../../rules/replay.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { ALL_SIGNALS } from "../../store/signals.ts";

const PAGE = 5_000;

/** Damaged payloads that are named, at most. */
const NAMED = 100;

export interface Fed {
  /** How many there were. */
  readonly signals: number;
  /** The first of those whose payload is no JSON, and was needed. */
  readonly unreadable: readonly number[];
}

/** Before every stamp there is. */
export const ALWAYS = Number.NEGATIVE_INFINITY;

export interface Stretch {
  /** Ids, both included. */
  readonly from: number;
  readonly to: number;
  /** Unix milliseconds: signals that are stamped before are passed over, though a set clock put them behind `from`. */
  readonly since: number;
}

/** The signals of a stretch, of the senses somebody listens to. */
export function replaySignals({ signals }: StoreReader, replay: Replay, { from, to, since }: Stretch): Fed {
  const { senses } = replay;
  const unreadable: number[] = [];
  let fed = 0;
  if (senses.length === 0) return { signals: fed, unreadable };
  for (let after = from - 1; after < to; ) {
    const page = signals.replayable({ ...ALL_SIGNALS, senses, after, limit: PAGE });
    for (const signal of page) {
      if (signal.id > to) return { signals: fed, unreadable };
      if (signal.at < since) continue;
      const isRead = replay.feed(signal);
      if (!isRead && unreadable.length < NAMED) unreadable.push(signal.id);
      fed++;
    }
    if (page.length < PAGE) break;
    after = page.at(-1)?.id ?? to;
  }
  return { signals: fed, unreadable };
}

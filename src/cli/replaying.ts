/** Feeds what the store still has of signals to a replay, page by page: memory stays bounded however many there are. */
import type { Replay } from "../rules/replay.ts";
import type { StoreReader } from "../store/open.ts";
import { EVERY_SIGNAL } from "./recorded.ts";

const PAGE = 5_000;

/** Signals with ids from `from` up to `to`, of the senses somebody listens to; returns how many there were. */
export function replaySignals({ signals }: StoreReader, replay: Replay, from: number, to: number): number {
  const { senses } = replay;
  if (senses.length === 0) return 0;
  let fed = 0;
  for (let after = from - 1; after < to; ) {
    const page = signals.list({ ...EVERY_SIGNAL, senses, after, limit: PAGE });
    for (const signal of page) {
      if (signal.id > to) return fed;
      replay.feed(signal);
      fed++;
    }
    if (page.length < PAGE) break;
    after = page.at(-1)?.id ?? to;
  }
  return fed;
}

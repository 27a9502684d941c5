/** Owns the reasons, beside the logged ones, why live decisions of a reflex may differ from replayed decisions. */

import type { Occurrence } from "./recorded.ts";
import { beganAfter, type Standing, standingWords } from "./standing.ts";

export interface Gaps {
  readonly reflex: string;
  readonly standing: Standing;
  /** The first replayed signal. `isOldest` is false when earlier signals are still kept. */
  readonly from: { readonly id: number; readonly at: number; readonly isOldest: boolean };
  /** Ids of signals whose payload is damaged. */
  readonly unreadable: readonly number[];
  readonly now: number;
}

/** True when the replay covers all signals that the reflex has seen. */
export const isWhole = (standing: Standing, from: number): boolean => (beganAfter(standing) ?? 0) >= from - 1;

export const goneWords = ({ id, isOldest }: Pick<Gaps["from"], "id" | "isOldest">): string =>
  isOldest
    ? `signals before #${id} are no longer kept: their retention is over`
    : `signals before #${id} are not looked at`;

export const unreadableWords = (id: number): string =>
  `the payload of signal #${id} is no JSON, it was damaged in the store`;

export function gapsOf({ reflex, standing, from, unreadable, now }: Gaps): Occurrence[] {
  const words = standingWords(standing);
  const gone = `${goneWords(from)}: what was remembered of them is not known`;
  return [
    ...(isWhole(standing, from.id) ? [] : [occurrence(from.at, "signals.gone", gone)]),
    ...unreadable.map((id) => occurrence(from.at, "signals.damaged", unreadableWords(id))),
    ...(words === null ? [] : [{ at: now, event: "reflex.not-loaded", source: `reflex:${reflex}`, message: words }]),
  ];
}

const occurrence = (at: number, event: string, message: string): Occurrence => ({
  at,
  event,
  source: "kernel",
  message,
});

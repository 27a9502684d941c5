/** Holds what the stream has of this host against what this host has made: whether this copy of the data has sent it, and how far another one is the same. */
import type { OwnSignals } from "./own-signals.ts";
import { type Cursor, type KernelStart, markOf, type Proof, reachOf, type Standing } from "./proof.ts";
import type { Claim } from "./start.ts";

const isSame = (a: Proof, b: Proof): boolean => a.id === b.id && a.mark === b.mark;

/** Null: what would show it is gone. */
export function isOurs(own: OwnSignals, cursor: Cursor, { to, evidence }: Claim): boolean | null {
  if (to > own.lastId()) return false;
  switch (evidence.kind) {
    case "unreadable":
      return false;
    case "nothing":
      return true;
    case "signal":
      return own.isOwn(evidence.signal.id, evidence.signal.mark);
    case "proof":
      return isProven(own, cursor, to, evidence.proof);
  }
}

function isProven(own: OwnSignals, { upto, proof: kept }: Cursor, to: number, proof: Proof | null): boolean | null {
  // What was made here behind the cursor its sender would have known.
  if (proof === null) return own.newest(upto + 1, to) === null;
  const newest = own.newest(proof.id, to);
  if (newest !== null) return isSame(newest, proof);
  if (kept !== null && isSame(kept, proof)) return true;
  return own.isGone(proof.id) ? null : false;
}

/**
 * Where another epoch begins, once another copy has sent under `epoch`: at the latest where the two copies part, for all up to there is
 * the same in both, and was sent.
 */
export function partingOf(
  own: OwnSignals,
  cursor: Cursor,
  firstStartedAt: number,
  last: Standing,
  epoch: string,
): number {
  const { label, others } = last;
  const itself = label?.epoch === epoch ? reachOf(label, last) : null;
  const start = (itself ?? others?.find((other) => other.epoch === epoch))?.start ?? null;
  return Math.max(cursor.upto, startedApart(own, cursor, firstStartedAt, start), sharedUpto(own, last));
}

/** Two copies part where one of them starts. `start`: the last one of the other copy. 0: nobody knows which start it was. */
function startedApart(own: OwnSignals, { proof }: Cursor, firstStartedAt: number, start: KernelStart | null): number {
  if (start === null) return 0;
  // The other one made what this one has sent, and ran on: so this copy started, and not before its first start since.
  if (proof !== null && start.id < proof.id) return firstStartedAt;
  return isShared(own, start) ? start.id : 0;
}

const isShared = (own: OwnSignals, { id, mark }: KernelStart): boolean =>
  id <= own.lastId() && own.newestUpto(id)?.mark === mark;

/** The newest signal of the frame that was made here too: all up to there is the same in both copies, and was sent. 0: there is none. */
const sharedUpto = (own: OwnSignals, { signals }: Standing): number =>
  signals.findLast((signal) => own.isOwn(signal.id, markOf(signal)) === true)?.id ?? 0;

/** This kernel has started at the id `id`. Null: nothing that was made here is known up to there. */
export function kernelStart(own: OwnSignals, id: number): KernelStart | null {
  const newest = own.newestUpto(id);
  return newest === null ? null : { id, mark: newest.mark };
}

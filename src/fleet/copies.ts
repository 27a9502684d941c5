/** Holds what the stream has of this host against what this host has made: whether this copy of the data has sent it, and how far another one is the same. */
import type { OwnSignals } from "./own-signals.ts";
import type { Cursor, Proof, Standing } from "./proof.ts";
import type { Claim } from "./start.ts";

const isSame = (a: Proof, b: Proof): boolean => a.id === b.id && a.trace === b.trace;

/** Null: what would show it is gone. */
export function isOurs(own: OwnSignals, cursor: Cursor, { to, evidence }: Claim): boolean | null {
  if (to > own.lastId()) return false;
  switch (evidence.kind) {
    case "unreadable":
      return false;
    case "nothing":
      return true;
    case "signal":
      return own.isOwn(evidence.signal.id, evidence.signal.trace);
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

/** The newest signal of the frame that was made here too: all up to there is the same in both copies, and was sent. 0: there is none. */
export const sharedUpto = (own: OwnSignals, { signals }: Standing): number =>
  signals.findLast(({ id, trace }) => own.isOwn(id, trace) === true)?.id ?? 0;

/** Decides where sending begins, from the last frame that the stream has of this host. Pure. */
import type { Cursor, Evidence, Standing } from "./proof.ts";

/** This host, as far as sending goes. */
export interface Sender {
  readonly epoch: string;
  readonly epochFrom: number;
  readonly cursor: Cursor;
}

/** What was sent up to the id `to`, and what shows who sent it. */
export interface Claim {
  readonly to: number;
  readonly evidence: Evidence;
}

/**
 * `go`: frames begin behind `from`, after the frame at `expected`. `conflict`: somebody else sends under this name. `anew`: another
 * copy of this data has sent under its epoch, so an id of this epoch is another signal there: another epoch has to begin.
 */
export type Start =
  | {
      readonly kind: "go";
      readonly from: number;
      readonly since: number;
      readonly expected: number;
      /** The stream has forgotten frames that it had acknowledged. */
      readonly isRewound: boolean;
    }
  | { readonly kind: "conflict"; readonly epoch: string | null }
  | { readonly kind: "anew"; readonly last: Standing };

/** Whether this copy of the data has sent what is claimed; null: what would show it is gone. */
export type IsOurs = (claim: Claim) => boolean | null;

/** `isClaim`: a conflict has been said and waited for. */
export function startAt(last: Standing | null, sender: Sender, isOurs: IsOurs, isClaim: boolean): Start {
  const { epoch, epochFrom, cursor } = sender;
  const isBegun = cursor.epoch === epoch;
  /** Where the present epoch goes on without any knowledge of the stream. */
  const from = isBegun ? cursor.upto : Math.min(cursor.upto, epochFrom);
  const since = isBegun ? cursor.since : from;
  const go = (begin: number, expected: number, isRewound: boolean): Start => ({
    kind: "go",
    from: begin,
    since: isBegun ? since : begin,
    expected,
    isRewound,
  });
  // Made anew, or all frames went with their time: only sending again is right for both, and a hub drops what it has.
  if (last === null) return cursor.sequence > 0 && isBegun ? go(since, 0, true) : go(from, 0, false);
  const { position, label, others } = last;
  const anew: Start = { kind: "anew", last };
  if (label === null) return isClaim ? go(from, position, false) : { kind: "conflict", epoch: null };
  /** What cannot be compared is ours only where nothing is left out by that. */
  const isAnother = (claim: Claim): boolean => {
    const found = isOurs(claim);
    return found === null ? claim.to > from : !found;
  };
  if (label.epoch === epoch) {
    const { to } = label;
    if (isBegun && position === cursor.sequence && to === cursor.upto) return go(to, position, false);
    if (isAnother({ to, evidence: last.evidence })) return anew;
    return to >= from ? go(to, position, false) : go(Math.max(to, since), position, true);
  }
  const known = others?.find((other) => other.epoch === epoch) ?? null;
  if (known !== null && isAnother({ to: known.to, evidence: { kind: "proof", proof: known.proof } })) return anew;
  if (!isBegun) {
    // The epoch before this one: what it sent is here up to `epochFrom`.
    if (label.epoch === cursor.epoch) return go(Math.min(label.to, epochFrom), position, label.to < cursor.upto);
    return go(from, position, false);
  }
  if (cursor.sequence === 0) return go(from, position, false);
  // An older place than that of our own frame: the stream went back to before this epoch.
  if (position < cursor.sequence) return go(since, position, true);
  // Whoever sent last knows nothing of this epoch, though it was sent.
  if (known === null && others !== null) return anew;
  if (!isClaim) return { kind: "conflict", epoch: label.epoch };
  const isRewound = known !== null && known.to < from;
  return go(isRewound ? Math.max(known.to, since) : from, position, isRewound);
}

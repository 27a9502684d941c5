/** Decides where sending begins, from the last frame that the stream has of this host. Pure. */
import type { FleetParentMessageOf } from "../ipc/fleet-definitions.ts";
import type { CarriedFrame } from "./engine/engine.ts";

export type Cursor = FleetParentMessageOf<"init">["cursor"];

/** This host, as far as sending goes. */
export interface Sender {
  readonly epoch: string;
  readonly epochFrom: number;
  readonly cursor: Cursor;
}

/** `go`: frames begin behind `from`, after the frame at `expected`. `conflict`: somebody else sends under this name. */
export type Start =
  | {
      readonly kind: "go";
      readonly from: number;
      readonly since: number;
      readonly expected: number;
      /** The stream has forgotten frames that it had acknowledged. */
      readonly isRewound: boolean;
    }
  | { readonly kind: "conflict"; readonly epoch: string | null };

/** `isOwn`: whether a frame of this epoch holds signals of this host. `isClaim`: a conflict has been said and waited for. */
export function startAt(
  last: CarriedFrame | null,
  { epoch, epochFrom, cursor }: Sender,
  isOwn: (frame: CarriedFrame) => boolean,
  isClaim: boolean,
): Start {
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
  const { position, label } = last;
  if (isClaim) return go(from, position, false);
  if (label === null) return { kind: "conflict", epoch: null };
  const { to } = label;
  if (label.epoch === epoch) {
    if (position === cursor.sequence && isBegun) return go(cursor.upto, position, false);
    if (!isOwn(last)) return { kind: "conflict", epoch: label.epoch };
    return to >= cursor.upto ? go(to, position, false) : go(Math.max(to, since), position, true);
  }
  if (!isBegun) {
    // The epoch before this one: what it sent is here up to `epochFrom`.
    if (label.epoch === cursor.epoch) return go(Math.min(to, epochFrom), position, to < cursor.upto);
    return go(from, position, false);
  }
  if (cursor.sequence === 0) return go(from, position, false);
  // An older place than that of our own frame: the stream went back to before this epoch.
  if (position < cursor.sequence) return go(since, position, true);
  return { kind: "conflict", epoch: label.epoch };
}

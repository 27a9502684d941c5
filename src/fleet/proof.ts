/**
 * What a frame says of the data directory that it comes from. A directory that was put back by copy, or of which a copy runs elsewhere,
 * has the same epoch and the same first rows, and then gives the same ids to other signals. Traces are random, so the newest signal that
 * a host has made at or below an id proves whose id that is.
 */
import { TRACE_PATTERN } from "../base/trace-id.ts";
import type { FleetParentMessageOf } from "../ipc/fleet-definitions.ts";
import type { CarriedFrame, Label } from "./engine/engine.ts";
import { type CarriedSignal, unpacked, unpackFrame } from "./frame.ts";

export type Cursor = FleetParentMessageOf<"init">["cursor"];
/** The newest signal made by a host up to some id. */
export type Proof = NonNullable<Cursor["proof"]>;
/** How far an epoch was sent. `proof`: null where nothing made by its host is known up to there. */
export type Reach = Cursor["others"][number];

/** What a frame says beside its signals. `isLast`: its last signal is the proof. */
export interface Words {
  readonly proof: Proof | null;
  readonly isLast: boolean;
  readonly others: readonly Reach[];
}

/**
 * What shows whose a frame is. `signal`: a nerve that wrote no proof sent this signal. `nothing`: such a nerve sent none.
 * `unreadable`: who wrote the frame is no nerve, or a later one.
 */
export type Evidence =
  | { readonly kind: "proof"; readonly proof: Proof | null }
  | { readonly kind: "signal"; readonly signal: Proof }
  | { readonly kind: "nothing" | "unreadable" };

/** The last frame of a host, read. */
export interface Standing {
  readonly position: number;
  readonly label: Label | null;
  readonly evidence: Evidence;
  /** How far other epochs were sent, as its writer knew. Null: a nerve wrote it that does not say so. */
  readonly others: readonly Reach[] | null;
  /** The id behind which it begins, null where it cannot be read; and what it holds. */
  readonly from: number | null;
  readonly lost: number;
  readonly signals: readonly CarriedSignal[];
}

/** Of other epochs, so many are known. An epoch that is not known makes a host begin anew, so fewer cost no signal. */
const KEPT = 8;

/** In the head of a frame, behind what every nerve reads. */
export const wordsOf = ({ proof, isLast, others }: Words): Readonly<Record<string, unknown>> => ({
  // False: there is none. True: the last signal.
  proof: proof === null ? false : isLast || [proof.id, proof.trace],
  ...(others.length === 0
    ? {}
    : { others: others.map(({ epoch, to, proof }) => [epoch, to, proof?.id ?? 0, proof?.trace ?? ""]) }),
});

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function proofIn(id: unknown, trace: unknown): Proof | null {
  return isId(id) && typeof trace === "string" && TRACE_PATTERN.test(trace) ? { id, trace } : null;
}

function reachesIn(value: unknown): Reach[] {
  if (!Array.isArray(value)) return [];
  return value.slice(-KEPT).flatMap((one: unknown) => {
    const [epoch, to, id, trace] = Array.isArray(one) ? (one as unknown[]) : [];
    return typeof epoch === "string" && isId(to) ? [{ epoch, to, proof: proofIn(id, trace) }] : [];
  });
}

function evidenceIn(proof: unknown, last: CarriedSignal | undefined): Evidence {
  if (Array.isArray(proof)) return { kind: "proof", proof: proofIn(proof[0], proof[1]) };
  if (proof === false) return { kind: "proof", proof: null };
  if (last === undefined) return { kind: "nothing" };
  const { id, trace } = last;
  return proof === true ? { kind: "proof", proof: { id, trace } } : { kind: "signal", signal: { id, trace } };
}

export function standingOf({ position, label, body }: CarriedFrame): Standing {
  const frame = unpackFrame(body);
  const about = { position, label };
  if (!frame.ok) return { ...about, evidence: { kind: "unreadable" }, others: null, from: null, lost: 0, signals: [] };
  const { from, lost, signals } = frame.value;
  const words = unpacked(body);
  const evidence = evidenceIn(words?.proof, signals.at(-1));
  const others = evidence.kind === "proof" ? reachesIn(words?.others) : null;
  return { ...about, evidence, others, from, lost, signals };
}

/** How far the epochs other than `epoch` were sent, once this host goes on behind `last`: its writer knew all before it. */
export function othersBehind(last: Standing | null, epoch: string, known: readonly Reach[]): readonly Reach[] {
  if (last === null || last.label === null) return known.filter((one) => one.epoch !== epoch);
  const { label, evidence } = last;
  const itself = { ...label, proof: evidence.kind === "proof" ? evidence.proof : null };
  const newest = new Map<string, Reach>();
  for (const one of [...known, ...(last.others ?? []), itself]) {
    newest.delete(one.epoch);
    newest.set(one.epoch, one);
  }
  newest.delete(epoch);
  return [...newest.values()].slice(-KEPT);
}

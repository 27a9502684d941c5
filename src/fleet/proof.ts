/**
 * What a frame says of the data directory that it comes from. A directory that was put back by copy, or of which a copy runs elsewhere,
 * has the same epoch and the same first rows, and then gives the same ids to other signals. Traces are random, so the newest signal that
 * a host has made at or below an id proves whose id that is. Its time belongs to it: what a sense had handed over before the copy was
 * made, each copy takes over with one trace.
 */
import type { FleetParentMessageOf } from "../ipc/fleet-definitions.ts";
import type { CarriedFrame, Label } from "./engine/engine.ts";
import { type CarriedSignal, unpacked, unpackFrame } from "./frame.ts";

export type Cursor = FleetParentMessageOf<"init">["cursor"];
/** The newest signal made by a host up to some id, by its own id. */
export type Proof = NonNullable<Cursor["proof"]>;
/** How far an epoch was sent. `proof`: null where nothing made by its host is known up to there. */
export type Reach = Cursor["others"][number];
/** The newest id when a kernel started, with the mark of the newest signal made by its host. */
export type KernelStart = NonNullable<Reach["start"]>;

/** What a frame says beside its signals. `isLast`: its last signal is the proof. */
export interface Words {
  readonly proof: Proof | null;
  readonly isLast: boolean;
  readonly start: KernelStart | null;
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
  readonly start: KernelStart | null;
  /** How far other epochs were sent, as its writer knew. Null: a nerve wrote it that does not say so. */
  readonly others: readonly Reach[] | null;
  /** The id behind which it begins, null where it cannot be read; and what it holds. */
  readonly from: number | null;
  readonly lost: number;
  readonly signals: readonly CarriedSignal[];
}

/** Of other epochs, so many are known. An epoch that is not known makes a host begin anew, so fewer cost no signal. */
const KEPT = 8;
/** A short print of what only this signal has. */
export const markOf = ({ at, trace }: Pick<CarriedSignal, "at" | "trace">): string =>
  Bun.hash.xxHash64(`${at} ${trace}`).toString(36).slice(-8);
const MARK = /^[0-9a-z]{1,8}$/;

/** In the head of a frame, behind what every nerve reads. */
export const wordsOf = ({ proof, isLast, start, others }: Words): Readonly<Record<string, unknown>> => ({
  // False: there is none. True: the last signal.
  proof: proof === null ? false : isLast || [proof.id, proof.mark],
  ...(start === null ? {} : { start: [start.id, start.mark] }),
  ...(others.length === 0 ? {} : { others: others.map(wordsOfReach) }),
});

const wordsOfReach = ({ epoch, to, proof, start }: Reach): readonly unknown[] => [
  ...[epoch, to, proof?.id ?? null, proof?.mark ?? null],
  ...(start === null ? [] : [start.id, start.mark]),
];

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function proofIn(id: unknown, mark: unknown): Proof | null {
  return isId(id) && typeof mark === "string" && MARK.test(mark) ? { id, mark } : null;
}

function reachesIn(value: unknown): Reach[] {
  if (!Array.isArray(value)) return [];
  return value.slice(-KEPT).flatMap((one: unknown) => {
    const [epoch, to, id, mark, startId, startMark] = Array.isArray(one) ? (one as unknown[]) : [];
    if (typeof epoch !== "string" || !isId(to)) return [];
    return [{ epoch, to, proof: proofIn(id, mark), start: proofIn(startId, startMark) }];
  });
}

function evidenceIn(proof: unknown, last: CarriedSignal | undefined): Evidence {
  if (Array.isArray(proof)) return { kind: "proof", proof: proofIn(proof[0], proof[1]) };
  if (proof === false) return { kind: "proof", proof: null };
  if (last === undefined) return { kind: "nothing" };
  const itself = { id: last.id, mark: markOf(last) };
  return proof === true ? { kind: "proof", proof: itself } : { kind: "signal", signal: itself };
}

export function standingOf({ position, label, body }: CarriedFrame): Standing {
  const frame = unpackFrame(body);
  if (!frame.ok) return { ...UNREADABLE, position, label };
  const { from, lost, signals } = frame.value;
  const words = unpacked(body);
  const evidence = evidenceIn(words?.proof, signals.at(-1));
  const [id, mark] = Array.isArray(words?.start) ? (words.start as unknown[]) : [];
  const others = evidence.kind === "proof" ? reachesIn(words?.others) : null;
  return { position, label, evidence, start: proofIn(id, mark), others, from, lost, signals };
}

const UNREADABLE = {
  evidence: { kind: "unreadable" },
  start: null,
  others: null,
  from: null,
  lost: 0,
  signals: [],
} as const;

/** What the last frame says of its own epoch. */
export const reachOf = (label: Label, { evidence, start }: Standing): Reach => ({
  ...label,
  proof: evidence.kind === "proof" ? evidence.proof : null,
  start,
});

/** How far the epochs other than `epoch` were sent, once this host goes on behind `last`: its writer knew all before it. */
export function othersBehind(last: Standing | null, epoch: string, known: readonly Reach[]): readonly Reach[] {
  if (last === null || last.label === null) return known.filter((one) => one.epoch !== epoch);
  const newest = new Map<string, Reach>();
  for (const one of [...known, ...(last.others ?? []), reachOf(last.label, last)]) {
    newest.delete(one.epoch);
    newest.set(one.epoch, one);
  }
  newest.delete(epoch);
  return [...newest.values()].slice(-KEPT);
}

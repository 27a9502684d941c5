/**
 * What `import … from "nerve"` gives the author of a sense. Types but for one class: importing it costs nothing.
 * The names here are public; a change to them is a change to every sense ever written.
 */
import type { BunSQLiteDatabase } from "drizzle-orm/bun-sqlite";
import { PeerNotReady } from "../model/peer-not-ready.ts";

export { PeerNotReady };

/** The sense's own database. Everything a compute writes to it is one transaction, kept only if the compute returns. */
// biome-ignore lint/complexity/noBannedTypes: drizzle's own notation for "no relational schema"
export type SenseDatabase = BunSQLiteDatabase<{}>;

/** Another sense's database, read-only: single SELECT, VALUES, WITH and EXPLAIN statements. */
export type PeerDatabase = Pick<
  SenseDatabase,
  "select" | "selectDistinct" | "with" | "$with" | "$count" | "all" | "get" | "values"
>;

/** Every other configured sense by name. Reading one whose database does not exist yet throws {@link PeerNotReady}. */
export type Peers = Readonly<Record<string, PeerDatabase>>;

/** Bytes stored once under their SHA-256. Put the reference in a payload, a row or a step's result. */
export interface BlobRef {
  /** SHA-256 of the bytes, 64 lowercase hex digits. */
  readonly $blob: string;
  /** Bytes, at most 64 MiB. */
  readonly size: number;
  /** Media type, as given to `put`. */
  readonly type: string;
}

export interface Blobs {
  /** Stores the bytes durably before it resolves. Throws over 64 MiB. */
  put(bytes: Uint8Array | string, about: { type: string }): Promise<BlobRef>;
  /** Throws when the reference is malformed or nothing is stored under it. */
  get(ref: BlobRef): Promise<Uint8Array>;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Appends to nerve's log. A log never triggers anything; `data` is any JSON value up to 8 KiB. */
export type Log = (level: LogLevel, message: string, data?: unknown) => void;

export interface ComputeContext<Options = Record<string, unknown>> {
  /** Fires at the soft timeout and at shutdown; a result after it is discarded. */
  readonly signal: AbortSignal;
  /** The validated `with` of nerve.yaml. */
  readonly options: Options;
  readonly blobs: Blobs;
  /** Unix milliseconds: when the compute was due, for ticks; else when it was decided. */
  readonly now: number;
  readonly log: Log;
}

/** A payload is any JSON value up to 64 KiB; null is "no signal". */
// biome-ignore lint/complexity/noBannedTypes: exactly "anything but undefined and null"
export type Payload = {};

/** One execution of a sense: returns a payload (a signal) or null (no signal). */
// biome-ignore lint/suspicious/noExplicitAny: an author narrows Options by annotating the third parameter
export type Compute<Options = any> = (
  db: SenseDatabase,
  peers: Peers,
  context: ComputeContext<Options>,
) => Payload | null | Promise<Payload | null>;

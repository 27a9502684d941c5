/**
 * The messages between the kernel and a sense worker: one definition each, in ArkType's notation but as plain data.
 * TypeScript infers the types from it through ArkType, both ends check it with `light-guard.ts` (importing ArkType
 * costs 100 ms and megabytes in every process), and a test proves that the guard agrees with ArkType on each.
 * On the wire a frame is an array of messages; all carry the worker's `generation`.
 */
import type { type } from "arktype";

export const POSITIVE = "number.integer >= 1";
export const COUNT = "number.integer >= 0";
export const POSITIVE_OR_NULL = "number.integer >= 1 | null";
/** Milliseconds; added to any time they are a valid date. */
export const MS = "0 <= number <= 100000000000000";

export const problem = {
  kind: "string",
  message: "string",
  hint: "string | null",
  file: "string | null",
  line: POSITIVE_OR_NULL,
  column: POSITIVE_OR_NULL,
} as const;

/** How far a sense has taken the items of one origin. */
const takenUpTo = { origin: "string", upTo: COUNT } as const;

/** `body`: the text of a JSON value. */
const item = {
  id: POSITIVE,
  origin: "string",
  at: COUNT,
  key: "string | null",
  type: "string | null",
  body: "string",
} as const;

const senseInit = {
  name: "string",
  /** Absolute folder of the user's module, or null for the built-in called `use`. */
  folder: "string | null",
  use: "string",
  database: "string",
  /** The `with` of nerve.yaml, {} when absent. */
  options: "unknown",
  timeoutMs: MS,
  /** `full`: what a compute keeps is on disk before its result is sent. */
  durability: "'full' | 'normal'",
  /** Highest outbox row the kernel has taken; new rows get higher ids (also when the file was restored or replaced). */
  outboxTaken: COUNT,
  /** Null: nothing comes in from outside. `origins`: of all that waits. `taken`: the newest item that is known to be taken. */
  inbox: [{ origins: ["string", "[]"], taken: [takenUpTo, "|", "null"] }, "|", "null"],
  /**
   * Of reflexes that look at its signals: held against the payload type that it exports, or against the items of the list at
   * the path `each`. Only `nerve check` asks for it.
   */
  patterns: [{ label: "string", each: "string | null", definition: "unknown" }, "[]"],
} as const;

export const peer = { name: "string", database: "string" } as const;

/** The first message: everything a worker needs, never in its arguments or environment. */
const init = {
  type: "'init'",
  generation: POSITIVE,
  senses: [senseInit, "[]"],
  peers: [peer, "[]"],
  /** Folder of the content-addressed store. */
  blobs: "string",
  /** File the worker holds a lock on for life, so that no two workers of one group live at once. */
  lock: "string",
  /** Rows of `log` the worker may have unacknowledged. */
  logCredit: POSITIVE,
} as const;

/** May come before `init`, while the kernel is still starting: built-in senses whose code the worker loads meanwhile. */
const prepare = { type: "'prepare'", generation: POSITIVE, builtIns: ["string", "[]"] } as const;

/** `now`, `cause` and `trace` as the signal will carry them. */
const asked = {
  id: POSITIVE,
  sense: "string",
  now: COUNT,
  cause: POSITIVE_OR_NULL,
  trace: "string",
  /** The items that it takes, if it succeeds. Null for none: an empty list in each entry makes the message costly. */
  inbox: [[item, "[]"], "|", "null"],
  /** The signals that it is handed, if it succeeds: it has then seen all up to `upTo`. `payload`: JSON text. */
  delivered: [
    {
      origin: "string",
      upTo: POSITIVE,
      signals: [{ id: POSITIVE, sense: "string", at: COUNT, payload: "string" }, "[]"],
    },
    "|",
    "null",
  ],
} as const;

/** Computes that are due together. */
const compute = { type: "'compute'", generation: POSITIVE, computes: [asked, "[]"] } as const;

/** Outbox rows up to `outbox` of `sense` are committed in logs.db; `logs` rows of `log` were taken. */
const ack = {
  type: "'ack'",
  generation: POSITIVE,
  outbox: [{ sense: "string", upTo: COUNT }, "[]"],
  logs: COUNT,
} as const;

/** The senses there are now, after a reload that left this worker alone. */
export const peers = { type: "'peers'", generation: POSITIVE, peers: [peer, "[]"] } as const;

export const shutdown = { type: "'shutdown'", generation: POSITIVE } as const;

/**
 * What a pattern of `init` is to the payload type its sense exports: `possible`, or one entry for each thing that is
 * wrong. Nothing is said of one that cannot be compared.
 */
const patternFinding = {
  label: "string",
  kind: "'possible' | 'never' | 'unknown-field'",
  /** Dotted, of the field that cannot match or is not listed; empty for the pattern as a whole. */
  path: "string",
  /** What the type says of that field, in ArkType's notation. */
  expected: "string | null",
  /** Fields the type lists. */
  fields: ["string", "[]"],
} as const;

/** As `SeriesTable` of model/series.ts. */
const series = {
  table: "string",
  at: "string",
  by: ["string", "[]"],
  numbers: [{ name: "string", unit: "string | null" }, "[]"],
} as const;

/**
 * What a module exports as `watch`. `kernel`: how nerve itself is. A `file` has an absolute path, a `dir` a path and a pattern
 * for names; the others have neither.
 */
const watched = {
  kind: "'kernel' | 'journal' | 'inbox' | 'file' | 'dir'",
  path: "string | null",
  match: "string | null",
} as const;

/** One entry a sense of `init`, in its order; `problem` null when it is loaded. */
const ready = {
  type: "'ready'",
  generation: POSITIVE,
  senses: [
    {
      sense: "string",
      problem: [problem, "|", "null"],
      applied: ["string", "[]"],
      watch: [watched, "[]"],
      /** Of the origins in `init`, those of which its database holds something. */
      taken: [takenUpTo, "[]"],
      patterns: [patternFinding, "[]"],
      /** What its module exports as `series`, where its database has all of it. */
      series: [series, "|", "null"],
      /** Why `series` is not used. It keeps the sense from nothing. */
      fault: [problem, "|", "null"],
    },
    "[]",
  ],
} as const;

/** Sent before user code is entered where that is not noted (`notes.ts`), else for what waits at the end of its turn. `id` null: the sense's module is being loaded. */
const started = { type: "'started'", generation: POSITIVE, id: POSITIVE_OR_NULL, sense: "string" } as const;

/** Settles compute `id` with one signal, or with several. */
const emitted = {
  id: POSITIVE,
  sense: "string",
  payload: "unknown",
  /** Outbox row, or null when the compute wrote nothing. */
  outbox: POSITIVE_OR_NULL,
  /** The signals of the same compute after this one, in their order. */
  more: [[{ payload: "unknown", outbox: POSITIVE }, "[]"], "|", "null"],
  durationMs: MS,
} as const;

/** The results of computes of one turn, in their order. */
const signal = { type: "'signal'", generation: POSITIVE, signals: [emitted, "[]"] } as const;

/** Rows that an earlier worker left in the outbox of `sense`. They answer no compute. */
const leftOver = {
  type: "'left-over'",
  generation: POSITIVE,
  sense: "string",
  rows: [{ payload: "unknown", outbox: POSITIVE, cause: POSITIVE_OR_NULL, trace: "string" }, "[]"],
} as const;

/** Before the result of compute `id`: the compute leaves something unread, and the next one is owed. */
const behind = { type: "'behind'", generation: POSITIVE, id: POSITIVE, sense: "string" } as const;

/** Settles computes that had nothing to say. */
const noSignal = {
  type: "'no-signal'",
  generation: POSITIVE,
  computes: [{ id: POSITIVE, sense: "string", durationMs: MS }, "[]"],
} as const;

/** Settles compute `id` without a result; with `id` null, what was wrong with a message or with the worker itself. */
const error = {
  type: "'error'",
  generation: POSITIVE,
  id: POSITIVE_OR_NULL,
  sense: "string | null",
  /** `lost`: the database of the sense was removed, replaced or cut off, and the sense computes no more. */
  kind: "'failed' | 'lost' | 'timed-out' | 'aborted' | 'malformed-message' | 'worker'",
  message: "string",
  stack: "string | null",
  durationMs: MS,
} as const;

/** `output`: a line of stdout or stderr. `log`: the author's own. `dropped`: rows this one stands for, beyond the limit. */
export const logOf = {
  type: "'log'",
  generation: POSITIVE,
  level: "'debug' | 'info' | 'warn' | 'error'",
  event: "'output' | 'log'",
  trace: "string | null",
  message: "string",
  data: "unknown",
  dropped: COUNT,
} as const;
const log = { ...logOf, sense: "string | null" } as const;

/** The last message: everything before it was delivered. */
export const bye = { type: "'bye'", generation: POSITIVE } as const;

export const parentDefinitions = { prepare, init, compute, ack, peers, shutdown } as const;
export const workerDefinitions = {
  ready,
  started,
  behind,
  signal,
  "no-signal": noSignal,
  "left-over": leftOver,
  error,
  log,
  bye,
} as const;

type Infer<Definitions> = { [Key in keyof Definitions]: type.infer<Definitions[Key]> }[keyof Definitions];

/** Kernel → sense worker. */
export type ParentMessage = Infer<typeof parentDefinitions>;
/** Sense worker → kernel. */
export type WorkerMessage = Infer<typeof workerDefinitions>;

export type ParentMessageOf<Type extends ParentMessage["type"]> = Extract<ParentMessage, { type: Type }>;
export type WorkerMessageOf<Type extends WorkerMessage["type"]> = Extract<WorkerMessage, { type: Type }>;

export type AskedCompute = ParentMessageOf<"compute">["computes"][number];
export type EmittedSignals = WorkerMessageOf<"signal">["signals"][number];
export type SilentCompute = WorkerMessageOf<"no-signal">["computes"][number];
export type LeftOverRow = WorkerMessageOf<"left-over">["rows"][number];

/** Messages of a frame, each counted as what it holds: a list of computes or signals is as many. */
export function countMessages(frame: unknown): number {
  if (!Array.isArray(frame)) return 1;
  let count = 0;
  for (const message of frame) {
    const list = message?.signals ?? message?.computes;
    count += Array.isArray(list) ? list.length : 1;
  }
  return count;
}

/** Why a message was not believed: `what` is bounded and safe to log. */
export interface MalformedMessage {
  readonly what: string;
}

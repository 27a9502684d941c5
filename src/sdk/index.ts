/**
 * What `import … from "nerve"` gives the author of a sense or a workflow. Types but for one class and one function: importing it costs nothing.
 * The other files of this folder are modules of their own: `nerve/options`, `nerve/proc` …
 * The names here are public; a change to them is a change to every module ever written.
 */
import type { BunSQLiteDatabase } from "drizzle-orm/bun-sqlite";
import type { Severity, TriggerIncident } from "../model/incident.ts";
import { PeerNotReady } from "../model/peer-not-ready.ts";
import { Signals } from "../model/signals.ts";

export type { Signals };
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

/** What was handed in from outside: by `nerve push`, over HTTP, by a ping. */
export interface InboxItem {
  /** Grows from item to item. Not unique: after nerve's data was put back, other items may have ids that were given before. */
  readonly id: number;
  /** Unix milliseconds at which nerve accepted it. */
  readonly at: number;
  /** What the sender calls it (`--key`, `Idempotency-Key`, `webhook-id` or `ce-id`), or null. */
  readonly key: string | null;
  /** The type of a CloudEvent; `start`, `success`, `fail` or `log` of a ping or of `nerve wrap`; else null. */
  readonly type: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: an author narrows it by annotating what is read from it
  readonly body: any;
}

/** A signal of another sense, handed to this one by a reflex with `deliver`. */
export interface DeliveredSignal {
  /** Grows from signal to signal. */
  readonly id: number;
  readonly sense: string;
  /** Unix milliseconds. */
  readonly at: number;
  // biome-ignore lint/suspicious/noExplicitAny: an author narrows it by annotating what is read from it
  readonly payload: any;
}

export interface ComputeContext<Options = Record<string, unknown>> {
  /** Fires at the soft timeout and at shutdown; a result after it is discarded. */
  readonly signal: AbortSignal;
  /** The validated `with` of nerve.yaml. */
  readonly options: Options;
  readonly blobs: Blobs;
  /** Unix milliseconds: when the compute was due, for ticks; else when it was decided. */
  readonly now: number;
  /**
   * What waits in the sense's `inbox`, oldest first: at most 500 items, of 1 MiB together. They are taken when the compute
   * returns, in its transaction; a compute that throws is tried again with them. Empty without `inbox` in nerve.yaml.
   */
  readonly inbox: readonly InboxItem[];
  /**
   * With `deliver: true` in a reflex: the signals of `on` that no earlier compute has seen, oldest first, at most 500, of 1 MiB
   * together. They count as seen when the compute returns, in its transaction; a compute that throws gets them again.
   */
  readonly delivered: readonly DeliveredSignal[];
  /**
   * Call `more()` where this compute leaves something unread: the next compute follows. After a signal it follows at once (a
   * `throttle` holds it back), after none within a second. A compute that throws has not called it.
   */
  readonly more: () => void;
  readonly log: Log;
}

/** What a promise is not. */
interface Settled {
  readonly then?: string | number | boolean | null | readonly unknown[];
}

/**
 * A payload is any JSON value up to 64 KiB; null is "no signal". A promise has a method `then`, and is no payload: a compute
 * whose `return` was forgotten is a type error. An object is written in two ways, as an interface has no names but its own,
 * and a literal may have any.
 */
export type Payload =
  | string
  | number
  | boolean
  | readonly unknown[]
  | (object & Settled)
  | (Settled & { readonly [field: string]: unknown });

/**
 * Several signals of one compute, in this order: `return signals([…])`. At most 500 payloads, and 1 MiB together. An empty
 * list is no signal. More than one are kept in the sense's database, in the transaction of the compute, until nerve has taken
 * each once.
 */
export function signals<Emitted extends Payload>(payloads: readonly Emitted[]): Signals<Emitted> {
  if (!Array.isArray(payloads)) throw new TypeError("signals() takes a list of payloads: `return signals([…])`");
  return new Signals(payloads);
}

/**
 * One execution of a sense: returns a payload (a signal), `signals([…])` (several) or null (no signal). Beside it a sense may export `options` and
 * `payload`, types of ArkType or any Standard Schema: what `with` has to be, and what payloads have to be. A payload that
 * does not fit is an error, not a signal; one that does is emitted as it was returned, without the type's morphs. `payload`
 * may also be a `declaration` of `nerve/payload`, which only `nerve check` reads. `Compute<Options, typeof payload.infer>`
 * holds what is returned against the type while it is written.
 */
// biome-ignore lint/suspicious/noExplicitAny: an author narrows Options by annotating the third parameter
export type Compute<Options = any, Emitted extends Payload = Payload> = (
  db: SenseDatabase,
  peers: Peers,
  context: ComputeContext<Options>,
) => Emitted | Signals<Emitted> | null | Promise<Emitted | Signals<Emitted> | null>;

/**
 * What may wake a sense: a file, the files of a folder (those whose names match, `*` standing for any run of characters), the
 * journal of systemd, an item for its inbox, or how nerve itself is, as `nerve status` shows it. Paths are relative to nerve.yaml.
 */
export type Watched =
  | { readonly file: string }
  | { readonly dir: string }
  | { readonly dir: string; readonly match: string }
  | { readonly journal: true }
  | { readonly inbox: true }
  | { readonly kernel: true };

/** What a sense may export as `watch`: what wakes the sense where a reflex says `watch: true`. */
// biome-ignore lint/suspicious/noExplicitAny: an author narrows Options by annotating the parameter
export type Watch<Options = any> = (options: Options) => Watched | readonly Watched[];

/**
 * What a sense may export as `series`: which of its tables holds numbers over time. The page draws them from there, and
 * `/api/v1/series` gives them, however many rows there are.
 */
export interface Series {
  /** A table of the sense's migrations, with an index that begins with `at`. */
  readonly table: string;
  /** The column of the time: an integer, Unix milliseconds. */
  readonly at: string;
  /** The column, or the columns, that name a row, as `path` of a disk: there is a line for each value. */
  readonly by?: string | readonly string[];
  /** Columns of numbers, and the unit of each: `percent`, `bytes`, `bytes_per_second`, `seconds`, `ms`, another word, or null. */
  readonly numbers: Readonly<Record<string, string | null>>;
}

/** `250ms`, `5s`, `10m`, `1h`, `7d`, or milliseconds. */
export type Duration = string | number;

/** What started a run: a signal, or (by hand) only a payload, and the rest null. */
// biome-ignore lint/suspicious/noExplicitAny: an author narrows it by annotating what is read from it
export interface Trigger<P = any> {
  /** Id of the signal; the latest matching one where the reflex waited (`for`, `count`, `debounce`). */
  readonly id: number | null;
  /** `HOST/SENSE` for a signal of another host. */
  readonly sense: string | null;
  /** The host that the signal came from. This host where its own signal, a due time or a person started the run. Not enumerable. */
  readonly host: string;
  /** Unix milliseconds. */
  readonly at: number | null;
  readonly payload: P;
  readonly reflex: string | null;
  /** The value of the reflex's `key`: a scalar, or a list of them. Null where it has none. */
  readonly key: string | number | boolean | null | readonly (string | number | boolean | null)[];
  /** Unix milliseconds of the due time that started the run; null where a signal did. */
  readonly due: number | null;
  /** The whole payload, where `each` made `payload` one of its elements; else null. */
  // biome-ignore lint/suspicious/noExplicitAny: as the payload
  readonly signal: any;
  /** What the run is to report of an incident, where its reflex has `incident`; else null. */
  readonly incident: TriggerIncident | null;
  /**
   * What the run reports, where its workflow has `batch`: this trigger and those of the runs that joined it. Null where the
   * run waited for no others.
   */
  readonly batch: Batch<P> | null;
}

/** What one run reports. */
// biome-ignore lint/suspicious/noExplicitAny: as of the trigger
export interface Batch<P = any> {
  /** Oldest first, each incident once, in its newest state; at most 100, and 256 KiB of JSON. */
  readonly items: readonly BatchItem<P>[];
  /** How many there are that `items` have no room for. */
  readonly more: number;
}

/** A trigger. The whole signal of an element is not copied into it. */
// biome-ignore lint/suspicious/noExplicitAny: as of the trigger
export interface BatchItem<P = any> extends Trigger<P> {
  readonly signal: null;
  readonly batch: null;
}

export type { Notification, Severity, TriggerIncident } from "../model/incident.ts";

/** What an author says to a channel. */
export interface Message {
  /** One line, at most 200 characters. */
  readonly title: string;
  /** Plain text, with line ends. */
  readonly text: string;
  readonly severity: Severity;
}

/** What a channel answered. */
export interface Answer {
  readonly answer: string;
}

/** What a step's function is given. */
export interface Step {
  /** The same for every try of this step of this run, and for no other: an idempotency key. 32 hex digits. */
  readonly id: string;
  /** 1 for the first try. A try that a crash interrupted does not count. */
  readonly attempt: number;
  /** As `context.signal`. */
  readonly signal: AbortSignal;
}

export interface StepOptions {
  /** Tries after the first; `interval` 5s, `backoff` 2, `max_interval` 5m. Without it a throw is final. */
  readonly retry?: {
    readonly limit: number;
    readonly interval?: Duration;
    readonly backoff?: number;
    readonly max_interval?: Duration;
  };
}

/** The handle of a run. */
export interface Thread {
  readonly trigger: Trigger;
  /** The id that everything of one cause shares: 32 hex digits. */
  readonly trace: string;
  /**
   * Runs `act` once: its result (any JSON value up to 64 KiB; nothing counts as null) is durable before this resolves, and
   * after a crash, a restart or a retry it is what this returns, without running `act` again. A step is known by its name
   * and the number of calls of that name before it. A step that was interrupted runs again, with the same `step.id`.
   */
  step<T>(name: string, act: (step: Step) => T | Promise<T>, options?: StepOptions): Promise<Awaited<T>>;
  /**
   * Goes on when this much time has passed, restarts included. Holds no slot meanwhile. A sleep is known by its duration as
   * written, by its `name`, and by the number of such sleeps before it.
   */
  sleep(duration: Duration, name?: string): Promise<void>;
  /** Appends to nerve's log, under this run. What was logged before a crash is not logged again. */
  readonly log: Log;
}

export interface RunContext<Options = Record<string, unknown>> {
  /** Fires at the run's timeout, when it is cancelled, and at shutdown. */
  readonly signal: AbortSignal;
  /** The validated `with` of nerve.yaml. */
  readonly options: Options;
  /** Every sense's database, read-only. */
  readonly peers: Peers;
  readonly blobs: Blobs;
  /**
   * Hands a message to a channel of nerve.yaml, once: call it in a step, with `retry`. Without a message it tells what started
   * the run, its incident or its signal. Throws where the channel does not take it; the error names the channel.
   */
  notify(channel: string, message?: Message): Promise<Answer>;
}

/**
 * One execution of a workflow. The function runs from the top after every sleep, crash and retry, so what it does belongs in
 * steps. Returns the run's output: any JSON value up to 64 KiB, nothing counts as null.
 */
// biome-ignore lint/suspicious/noExplicitAny: an author narrows Options by annotating the second parameter
export type Run<Options = any> = (thread: Thread, context: RunContext<Options>) => unknown;

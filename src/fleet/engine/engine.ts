/**
 * What nerve needs of an engine that carries frames between hosts: append behind the last frame of a host, read that frame, read all
 * frames in order from a place on. Questions between hosts go the same way. Another engine is another folder beside `nats/`.
 */

/** Why something could not be done. `offline`: nobody knows whether it was done. `blocked`: it was refused, and was not done. */
export interface Trouble {
  readonly kind: "offline" | "blocked";
  readonly why: string;
}

export const isTrouble = <Value extends object>(value: Value | Trouble): value is Trouble =>
  "kind" in value && (value.kind === "offline" || value.kind === "blocked");

export const offline = (why: string): Trouble => ({ kind: "offline", why });
export const blocked = (why: string): Trouble => ({ kind: "blocked", why });

/** What stands on a frame, so that it need not be unpacked. */
export interface Label {
  readonly epoch: string;
  readonly to: number;
}

/** A frame in the stream. `host`: the engine vouches for it. */
export interface CarriedFrame {
  readonly host: string;
  readonly position: number;
  /** Null: it is no frame of that host, and `flaw` says why. */
  readonly label: Label | null;
  readonly flaw: string | null;
  /** Unix milliseconds by the server's clock at which it was stored, and by the sender's clock at which it was sent. Null: nobody says. */
  readonly storedMs: number | null;
  readonly sentMs: number | null;
  readonly body: Uint8Array;
  /** Frames behind this one, as far as the reading goes. */
  readonly pending: number;
}

/** `overtaken`: the last frame of this host is another than was expected. */
export type Appended =
  | { readonly kind: "appended"; readonly position: number }
  | { readonly kind: "overtaken" }
  | Trouble;

export type LastFrame = { readonly kind: "frame"; readonly frame: CarriedFrame } | { readonly kind: "none" } | Trouble;

/** How full a stream is. A limit of 0: there is none. Times are Unix milliseconds by the server's clock, 0: there is no frame. */
export interface Room {
  readonly bytes: number;
  readonly max_bytes: number;
  readonly messages: number;
  readonly max_messages: number;
  readonly max_age_ms: number;
  readonly oldest_at: number;
  readonly newest_at: number;
}

/** `name` changes when the stream is made anew. `atMs`: Unix milliseconds by the server's clock, null where it does not say so. */
export type StreamState =
  | {
      readonly kind: "stream";
      readonly name: string;
      readonly last: number;
      readonly atMs: number | null;
      readonly room: Room;
    }
  | Trouble;

export interface Reading {
  readonly kind: "reading";
  /** How many frames there were to read when the reading began. */
  readonly pending: number;
  /** The next frames, at least one; waits for it. Null once the session or the reading is over. */
  next(): Promise<readonly CarriedFrame[] | Trouble | null>;
  stop(): void;
}

/** What another host answered. */
export type Answer = { readonly text: string; readonly why: null } | { readonly text: null; readonly why: string };

/** One connection, from its beginning to its end. */
export interface Session {
  readonly kind: "session";
  /** Resolves with why it ended. */
  readonly ended: Promise<string>;
  /** What the server is not, and should be; null: nothing. */
  readonly concern: string | null;
  append(body: Uint8Array, label: Label, expected: number): Promise<Appended>;
  /** The last frame of this host. */
  last(): Promise<LastFrame>;
  stream(): Promise<StreamState>;
  /** Frames of all hosts behind `position`. */
  read(position: number): Promise<Reading | Trouble>;
  /** Frames of one host that were stored at this time or later. */
  readSince(storedMs: number, host: string): Promise<Reading | Trouble>;
  /** The last frame of each host, without its body. */
  roll(): Promise<readonly CarriedFrame[] | Trouble>;
  ask(host: string, timeoutMs: number): Promise<Answer>;
  /** From now on `answer` is called for each question to this host; `reply` sends the answer. */
  answering(answer: (reply: (text: string) => void) => void): void;
  close(): Promise<void>;
}

export interface Engine {
  connect(): Promise<Session | Trouble>;
}

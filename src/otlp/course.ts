/**
 * Owns the sending of one kind: a slice is read, sent and answered, and the kernel commits how far that was before the next one is read. One
 * request is under way at most. After a failure the slice is read anew: the rows in logs.db are the truth.
 */
import { type BackoffPolicy, backoffMs } from "../base/backoff.ts";
import type { OtlpMessageOf } from "../ipc/otlp-definitions.ts";
import type { Outcome } from "./post.ts";
import { MOST_ROWS } from "./rows.ts";

/** What a slice makes. `body`: null where nothing of it is sent. `items`: points, records or spans in it. */
export interface Parcel {
  readonly body: Uint8Array | null;
  readonly items: number;
  readonly rows: number;
  readonly upto: number;
  readonly lost: number;
  readonly isFull: boolean;
}

export type Step = Omit<OtlpMessageOf<"step">, "type" | "generation" | "kind">;
export type Link = Omit<OtlpMessageOf<"link">, "type" | "generation" | "kind">;

export interface CourseHost {
  readonly upto: number;
  readonly everyMs: number;
  /** Reads `most` rows behind `above`. */
  read(above: number, most: number): Parcel;
  send(body: Uint8Array): Promise<Outcome>;
  link(link: Link): void;
  /** Resolves when the step is committed. */
  step(step: Step): Promise<void>;
  wait(ms: number): Promise<void>;
  /** In [0, 1). */
  random(): number;
}

const BACKOFF: BackoffPolicy = { firstMs: 500, maxMs: 60_000, spread: 0.3 };
/** A receiver that says when sees hosts come back one after the other. */
const SPREAD = 0.2;

type Wait = Extract<Outcome, { kind: "wait" }>;
type Answered = Exclude<Outcome, Wait>;

export class Course {
  readonly #host: CourseHost;
  #upto: number;
  #most = MOST_ROWS;
  #failures = 0;
  #isConnected = false;

  constructor(host: CourseHost) {
    this.#host = host;
    this.#upto = host.upto;
  }

  /** Ends with the process. */
  async run(): Promise<never> {
    for (;;) await this.#host.wait(await this.#next());
  }

  /** Sends one slice: the milliseconds until the next. */
  async #next(): Promise<number> {
    const { everyMs, read, send } = this.#host;
    const parcel = read(this.#upto, this.#most);
    const outcome: Outcome = parcel.body === null ? { kind: "taken", refused: 0, why: null } : await send(parcel.body);
    if (outcome.kind === "wait") return this.#isHeldUp(outcome);
    if (outcome.kind === "too-large" && parcel.rows > 1) {
      this.#most = Math.max(1, Math.floor(Math.min(this.#most, parcel.rows) / 2));
      return 0;
    }
    this.#failures = 0;
    this.#most = Math.min(MOST_ROWS, this.#most * 2);
    const refused = outcome.kind === "taken" ? Math.min(parcel.items, outcome.refused) : parcel.items;
    if (parcel.body !== null) this.#isAnswered(outcome, refused < parcel.items);
    await this.#goesOn(parcel, refused, outcome.why);
    return parcel.isFull ? 0 : everyMs;
  }

  async #goesOn({ upto, lost, items }: Parcel, refused: number, why: string | null): Promise<void> {
    if (upto === this.#upto && lost === 0) return;
    await this.#host.step({ upto, sent: items - refused, refused, lost, why });
    this.#upto = upto;
  }

  /** `isTaken`: something of the request was. */
  #isAnswered(outcome: Answered, isTaken: boolean): void {
    if (isTaken && this.#isConnected) return;
    this.#isConnected = isTaken;
    if (isTaken) return this.#host.link({ state: "connected", status: null, why: null, nextMs: null });
    const status = outcome.kind === "taken" ? null : outcome.status;
    this.#host.link({ state: "refusing", status, why: outcome.why, nextMs: null });
  }

  #isHeldUp({ state, status, why, afterMs }: Wait): number {
    this.#isConnected = false;
    const waitMs = this.#waitMs(afterMs);
    this.#host.link({ state, status, why, nextMs: Math.round(waitMs) });
    return waitMs;
  }

  #waitMs(afterMs: number | null): number {
    const random = this.#host.random();
    if (afterMs !== null) return Math.max(BACKOFF.firstMs, afterMs * (1 + SPREAD * random));
    return backoffMs(++this.#failures + 1, BACKOFF, random);
  }
}

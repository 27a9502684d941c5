/**
 * Reads a stream in order. The server's consumer is made for this reading alone, keeps nothing and is removed with it: the place up to
 * which frames were taken is nerve's own. A message that is missing in the consumer's count ends the reading.
 */
import { createInbox, type Msg, type NatsConnection, nuid, type Subscription } from "@nats-io/transport-node";
import { type CarriedFrame, offline, type Reading, type Trouble } from "../engine/engine.ts";
import { carriedFrame, type Lying } from "./frames.ts";
import type { Requests } from "./requests.ts";

/**
 * So much is asked for at once: each question costs a round trip, which is long where server or host is busy. The next question leaves
 * with the last frame of the one before.
 */
const PULL = 1_000;
const PULL_BYTES = 4 * 1024 * 1024;
const EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 5_000;
/** Without a word for so long the consumer is gone. */
const SILENCE_MS = 15_000;
/** A consumer that is not removed goes by itself after this time. */
const IDLE_MS = 60_000;

const PULL_IS_OVER = /batch completed|request canceled|exceeds maxbytes/i;

const NANOS_PER_MS = 1_000_000;
const nanos = (ms: number): number => ms * NANOS_PER_MS;

/** Where a reading begins, as JetStream has it. */
export type Start =
  | { readonly deliver_policy: "by_start_sequence"; readonly opt_start_seq: number }
  | { readonly deliver_policy: "by_start_time"; readonly opt_start_time: string }
  | { readonly deliver_policy: "last_per_subject"; readonly headers_only: true };

/** What to read, and from where. `host`: who reads. */
export interface From {
  readonly stream: string;
  readonly host: string;
  readonly subject: string;
  readonly start: Start;
}

interface ConsumerInfo {
  readonly num_pending: number;
}

export async function readFrom(
  connection: NatsConnection,
  requests: Requests,
  inboxPrefix: string,
  from: From,
): Promise<Reading | Trouble> {
  const name = `nerve-${from.host}-${nuid.next()}`;
  const created = await requests.ask<ConsumerInfo>(`CONSUMER.CREATE.${from.stream}.${name}.${from.subject}`, {
    stream_name: from.stream,
    config: {
      name,
      ...from.start,
      ack_policy: "none",
      replay_policy: "instant",
      filter_subject: from.subject,
      inactive_threshold: nanos(IDLE_MS),
      mem_storage: true,
      num_replicas: 1,
    },
  });
  if (created.kind !== "answered") return created;
  return new NatsReading(connection, requests, createInbox(inboxPrefix), {
    name,
    from,
    pending: created.value.num_pending,
  });
}

class NatsReading implements Reading {
  readonly kind = "reading";
  readonly pending: number;
  readonly #connection: NatsConnection;
  readonly #requests: Requests;
  readonly #inbox: string;
  readonly #stream: string;
  readonly #name: string;
  readonly #subscription: Subscription;
  #frames: CarriedFrame[] = [];
  /** Of frames that nobody has taken. */
  #bytes = 0;
  #trouble: Trouble | null = null;
  #isOver = false;
  #waiting: (() => void) | null = null;
  /** Frames of the present pull that have not come. 0: there is no pull. */
  #left = 0;
  #count = 0;
  #silence: ReturnType<typeof setTimeout> | null = null;

  constructor(
    connection: NatsConnection,
    requests: Requests,
    inbox: string,
    consumer: { readonly name: string; readonly from: From; readonly pending: number },
  ) {
    this.#connection = connection;
    this.#requests = requests;
    this.#inbox = inbox;
    this.#stream = consumer.from.stream;
    this.#name = consumer.name;
    this.pending = consumer.pending;
    this.#subscription = connection.subscribe(inbox, {
      callback: (error, message) => {
        if (error !== null) return this.#fail(offline(`reading the stream ended: ${error.message}`));
        this.#receive(message);
      },
    });
    void connection.closed().then(() => this.stop());
  }

  async next(): Promise<readonly CarriedFrame[] | Trouble | null> {
    for (;;) {
      if (this.#frames.length > 0) {
        const frames = this.#frames;
        this.#frames = [];
        this.#bytes = 0;
        return frames;
      }
      if (this.#trouble !== null) return this.#trouble;
      if (this.#isOver) return null;
      this.#pullMore();
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#heard();
    if (!this.#connection.isClosed()) {
      this.#subscription.unsubscribe();
      // Nobody waits: a consumer that stays goes by itself.
      this.#connection.publish(this.#requests.api(`CONSUMER.DELETE.${this.#stream}.${this.#name}`));
    }
    this.#wake();
  }

  /** Nothing more is asked for while more waits here than one pull brings. */
  #pullMore(): void {
    if (this.#left > 0 || this.#isOver || this.#frames.length > PULL || this.#bytes > PULL_BYTES) return;
    this.#left = PULL;
    const wish = {
      batch: PULL,
      max_bytes: PULL_BYTES,
      expires: nanos(EXPIRES_MS),
      idle_heartbeat: nanos(HEARTBEAT_MS),
    };
    const subject = this.#requests.api(`CONSUMER.MSG.NEXT.${this.#stream}.${this.#name}`);
    this.#connection.publish(subject, JSON.stringify(wish), { reply: this.#inbox });
    this.#heard();
  }

  /** The consumer has given a sign of life: the next one is awaited while a pull is open. */
  #heard(): void {
    if (this.#silence !== null) clearTimeout(this.#silence);
    this.#silence = null;
    if (this.#isOver || this.#left === 0) return;
    this.#silence = setTimeout(() => this.#fail(offline("the stream fell silent while it was read")), SILENCE_MS);
  }

  #receive(message: Msg): void {
    const place = placeOf(message.reply ?? "");
    // What has a place is of the stream: a host may have put a status on its frame.
    if (place === null) return this.#isTold(message.headers?.code ?? 0, message.headers?.description ?? "");
    this.#count++;
    if (place.count !== this.#count) return this.#fail(offline("a message of the stream was lost on its way"));
    this.#left--;
    this.#bytes += message.data.length;
    this.#pullMore();
    this.#heard();
    const lying = { ...place, isAnswer: false };
    this.#frames.push(carriedFrame(message.subject, lying, message.headers ?? null, message.data));
    this.#wake();
  }

  #isTold(status: number, description: string): void {
    // 100: a heartbeat. 404, 408: nothing came while the pull was open. 409: the pull is over, as some of its words say.
    if (status === 404 || status === 408) this.#left = 0;
    if (status === 409 && !PULL_IS_OVER.test(description))
      return this.#fail(offline(`the stream ended the reading: ${description}`));
    if (status === 409) this.#left = 0;
    if (status === 0) return this.#fail(offline("the stream sent a message without its place"));
    if (status === 503) return this.#fail(offline("the stream is gone, or has no leader"));
    this.#heard();
    if (this.#left === 0) this.#wake();
  }

  #fail(trouble: Trouble): void {
    this.#trouble ??= trouble;
    this.stop();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.();
  }
}

/** `count`: of the messages of this reading. */
interface Place extends Omit<Lying, "isAnswer"> {
  readonly count: number;
}

/** `$JS.ACK.STREAM.CONSUMER.DELIVERIES.POSITION.COUNT.TIME.PENDING`; servers from 2.10 on may put two words more in front. */
function placeOf(reply: string): Place | null {
  const words = reply.split(".");
  const at = words.length >= 11 ? 7 : 5;
  const [position = 0, count = 0, nanoseconds = 0, pending = 0] = words.slice(at, at + 4).map(Number);
  const isWhole = words.length >= at + 4 && [position, count, pending].every((number) => Number.isSafeInteger(number));
  const storedMs = Math.floor(nanoseconds / NANOS_PER_MS);
  return isWhole ? { position, count, pending, storedMs: storedMs > 0 ? storedMs : null } : null;
}

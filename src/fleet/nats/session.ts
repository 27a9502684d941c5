/** NATS JetStream as an engine: one connection, and what nerve asks of the stream over it. */
import type { NatsConnection } from "@nats-io/transport-node";
import { errors } from "@nats-io/transport-node";
import {
  type Answer,
  type Appended,
  type CarriedFrame,
  type Engine,
  isTrouble,
  type Label,
  type LastFrame,
  offline,
  type Reading,
  type Room,
  type Session,
  type StreamState,
  type Trouble,
} from "../engine/engine.ts";
import type { Access } from "./access.ts";
import { type Connection, connectTo } from "./connection.ts";
import { ALL_SUBJECTS, answeredPosition, askSubject, carriedFrame, headersOf, subjectOf } from "./frames.ts";
import { readFrom, type Start } from "./reading.ts";
import { Requests } from "./requests.ts";
import { concernOf } from "./versions.ts";
import { messageOf } from "./words.ts";

export interface NatsSettings extends Access {
  readonly servers: readonly string[];
  readonly domain: string | null;
  readonly stream: string;
}

const WRONG_LAST_SEQUENCE = new Set([10071, 10164]);
/** Reading one frame. A stream that is not there gives no answer at all. */
const LAST_MS = 2_000;
/** A frame that is refused is refused at once. */
const REFUSED_MS = 1_000;
/** Behind no frame there is: a server that lets this host publish answers that another one is the last. */
export const NEVER = Number.MAX_SAFE_INTEGER;
const NANOS_PER_MS = 1_000_000;
/** The last frames of all hosts, without bodies. */
const ROLL_MS = 10_000;
/** An answer to a question is never longer. */
const MAX_ANSWER_BYTES = 64 * 1024;

interface PubAck {
  readonly seq: number;
}

interface StreamInfo {
  readonly created: string;
  /** The server's time. Servers before 2.10 do not say it. */
  readonly ts: unknown;
  readonly config: { readonly max_bytes: number; readonly max_msgs: number; readonly max_age: number };
  readonly state: {
    readonly last_seq: number;
    readonly bytes: number;
    readonly messages: number;
    readonly first_ts: string;
    readonly last_ts: string;
  };
}

/** JetStream writes -1 for no limit, and the year 1 for no time. */
function roomOf(config: StreamInfo["config"], state: StreamInfo["state"]): Room {
  const timeOf = (text: string): number => Math.max(0, Date.parse(text)) || 0;
  const isEmpty = state.messages === 0;
  return {
    bytes: state.bytes,
    max_bytes: Math.max(0, config.max_bytes),
    messages: state.messages,
    max_messages: Math.max(0, config.max_msgs),
    max_age_ms: Math.max(0, config.max_age) / NANOS_PER_MS,
    oldest_at: isEmpty ? 0 : timeOf(state.first_ts),
    newest_at: isEmpty ? 0 : timeOf(state.last_ts),
  };
}

/** Each `connect` tries the next server. */
export class Nats implements Engine {
  readonly #settings: NatsSettings;
  #turn = 0;

  constructor(settings: NatsSettings) {
    this.#settings = settings;
  }

  async connect(): Promise<NatsSession | Trouble> {
    const { servers } = this.#settings;
    const server = servers[this.#turn++ % servers.length] as string;
    const connection = await connectTo(server, this.#settings);
    return isTrouble(connection) ? connection : new NatsSession(connection, server, this.#settings);
  }
}

class NatsSession implements Session {
  readonly kind = "session";
  readonly ended: Promise<string>;
  readonly concern: string | null;
  readonly requests: Requests;
  readonly #connection: NatsConnection;
  readonly #settings: NatsSettings;

  constructor({ nats, identity }: Connection, server: string, settings: NatsSettings) {
    this.#connection = nats;
    this.#settings = settings;
    const { host, stream, domain } = settings;
    this.requests = new Requests(nats, { host, server, stream, identity, domain });
    // Behind a leaf node another server keeps the frames.
    this.concern = domain === null ? concernOf(server, nats.info ?? null) : null;
    this.ended = nats
      .closed()
      .then((error) => `the connection to ${server} ended${error instanceof Error ? `: ${messageOf(error)}` : ""}`);
  }

  async append(body: Uint8Array, label: Label, expected: number): Promise<Appended> {
    const { host, stream } = this.#settings;
    const answer = await this.requests.json<PubAck>(subjectOf(host), body, headersOf(label, stream, expected));
    if (answer.kind === "answered") return { kind: "appended", position: answer.value.seq };
    if (answer.kind !== "refused") return answer;
    const { refusal } = answer;
    return WRONG_LAST_SEQUENCE.has(refusal.err_code) ? { kind: "overtaken" } : this.requests.refused(refusal);
  }

  async last(): Promise<LastFrame> {
    const { host, stream } = this.#settings;
    const subject = this.requests.api(`DIRECT.GET.${stream}.${subjectOf(host)}`);
    const answer = await this.requests.message(subject, "", null, LAST_MS);
    // A stream that is not there does not answer; a frame for it is refused at once, in words.
    if (answer.kind === "offline") return this.#whyRefused(answer);
    if (answer.kind !== "answered") return answer;
    const { headers, data } = answer.value;
    const position = answeredPosition(headers ?? null);
    // A frame may have a status of its own.
    if (Number.isNaN(position) && headers?.code === 404) return { kind: "none" };
    if (!Number.isSafeInteger(position) || position < 1)
      return { kind: "offline", why: "the server answered without the place of the last frame" };
    const lying = { position, storedMs: null, pending: 0, isAnswer: true };
    return { kind: "frame", frame: carriedFrame(subjectOf(host), lying, headers ?? null, data) };
  }

  /**
   * Tries a frame behind none that there is, which nothing keeps. A server before 2.10 says nothing where no stream takes that of another
   * account: it answers a ping, and nothing else.
   */
  async #whyRefused(silence: Trouble): Promise<Trouble> {
    const { host, stream } = this.#settings;
    const head = headersOf({ epoch: "0", to: 0 }, stream, NEVER);
    const tried = await this.requests.message(subjectOf(host), new Uint8Array(0), head, REFUSED_MS);
    if (tried.kind === "blocked") return tried;
    const isThere = tried.kind === "offline" && (await this.#answersPing());
    return isThere ? this.requests.unheard(subjectOf(host)) : silence;
  }

  /** A client that gives up a connection leaves its pings open: nobody waits for them longer than this. */
  async #answersPing(): Promise<boolean> {
    const answered = this.#connection.rtt().then(
      () => true,
      () => false,
    );
    return Promise.race([answered, Bun.sleep(REFUSED_MS).then(() => false)]);
  }

  async stream(): Promise<StreamState> {
    const info = await this.requests.ask<StreamInfo>(`STREAM.INFO.${this.#settings.stream}`, null);
    if (info.kind !== "answered") return info;
    const { created, ts, state, config } = info.value;
    const at = typeof ts === "string" ? Date.parse(ts) : Number.NaN;
    return {
      kind: "stream",
      name: created,
      last: state.last_seq,
      atMs: Number.isNaN(at) ? null : at,
      room: roomOf(config, state),
    };
  }

  read(position: number): Promise<Reading | Trouble> {
    return this.#read(ALL_SUBJECTS, { deliver_policy: "by_start_sequence", opt_start_seq: position + 1 });
  }

  readSince(storedMs: number, host: string): Promise<Reading | Trouble> {
    const since = new Date(storedMs).toISOString();
    return this.#read(subjectOf(host), { deliver_policy: "by_start_time", opt_start_time: since });
  }

  async roll(): Promise<readonly CarriedFrame[] | Trouble> {
    const reading = await this.#read(ALL_SUBJECTS, { deliver_policy: "last_per_subject", headers_only: true });
    if (reading.kind !== "reading") return reading;
    // A frame that goes with its time meanwhile never comes.
    const late = setTimeout(() => reading.stop(), ROLL_MS);
    try {
      const frames = new Map<string, CarriedFrame>();
      for (let came = 0; came < reading.pending; ) {
        const some = await reading.next();
        if (some === null) return offline("the last frames of all hosts did not come in time");
        if ("kind" in some) return some;
        came += some.length;
        // Newer ones may follow.
        for (const frame of some) frames.set(frame.host, frame);
      }
      return [...frames.values()];
    } finally {
      clearTimeout(late);
      reading.stop();
    }
  }

  #read(subject: string, start: Start): Promise<Reading | Trouble> {
    const { stream, host } = this.#settings;
    return readFrom(this.#connection, this.requests, `_INBOX_${host}`, { stream, host, subject, start });
  }

  async ask(host: string, timeoutMs: number): Promise<Answer> {
    try {
      const { data } = await this.#connection.request(askSubject(host), "", { timeout: timeoutMs });
      if (data.length > MAX_ANSWER_BYTES) return { text: null, why: "its answer is longer than 64 KiB" };
      return { text: new TextDecoder().decode(data), why: null };
    } catch (error) {
      return { text: null, why: whyNoAnswer(error, host, timeoutMs) };
    }
  }

  answering(answer: (reply: (text: string) => void) => void): void {
    this.#connection.subscribe(askSubject(this.#settings.host), {
      callback: (error, message) => {
        if (error === null) answer((text) => void message.respond(text));
      },
    });
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}

function whyNoAnswer(error: unknown, host: string, timeoutMs: number): string {
  if (error instanceof errors.RequestError && error.isNoResponders()) return "not connected";
  if (error instanceof errors.TimeoutError) return `no answer within ${timeoutMs / 1_000} s`;
  for (let link: unknown = error; link instanceof Error; link = link.cause)
    if (link instanceof errors.PermissionViolationError) return `the server does not let this host ask ${host}`;
  return messageOf(error);
}

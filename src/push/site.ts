/** Owns the way of a request that brings something: whom it is addressed to, who sent it, what it holds, what became of it. */
import { FOREIGN, hostsOf, isForeign, misaddressed } from "../http/addressed.ts";
import { type Content, json, refusal, respond } from "../http/answers.ts";
import { bearerOf } from "../http/bearer.ts";
import type { Answerer } from "../http/listener.ts";
import { SlowAnswers } from "../http/slow-answers.ts";
import { type Given, MAX_REQUEST_BYTES } from "../inbox/given.ts";
import { answerTo, type Offered } from "../inbox/offered.ts";
import { givenByPing, MAX_OUTPUT_BYTES, outputOf, pingOf, runOf } from "../inbox/pings.ts";
import { givenBy, keyOf } from "../inbox/request.ts";
import { isSigned, isSignedWith } from "../inbox/signatures.ts";
import type { ListenConfig } from "../model/config.ts";
import { problem } from "../model/problem.ts";
import { announced, type BodyRead, Budget, readEnd, readWhole } from "./body.ts";
import type { Offers } from "./offers.ts";
import type { Senders } from "./senders.ts";

/** A request has this long, from its head to its answer. */
const REQUEST_MS = 10_000;
/** More at once are sent away. */
const MAX_REQUESTS = 1_000;
/** What bodies of known senders may hold together; and of those who say who they are with the body alone. */
const KNOWN_BYTES = 64 * 1024 * 1024;
const UNKNOWN_BYTES = 16 * 1024 * 1024;
/** The output of a command may be long; its end is kept. */
const MAX_PING_BYTES = 256 * 1024 * 1024;

const INBOX = /^\/v1\/inbox\/([^/]+)$/;
const PING = /^\/ping\/([^/]+)(\/.*)?$/;

const NOT_FOUND = problem("not-found", "there is nothing at this path", "POST /v1/inbox/SENSE · /ping/TOKEN");
const WHO = problem("unknown-sender", "say who you are with `Authorization: Bearer TOKEN`", "nerve token SENSE");
const WRONG_SIGNATURE = problem(
  "wrong-signature",
  "the signature is wrong, or its time is more than five minutes from now",
  "both ends need the same `secret`; is the clock of the sender right?",
);
const BUSY = problem("too-many", "too many requests are under way", "try again");
const SLOW = problem("too-slow", "the request took over 10 s", "try again");
const SILENT = problem(
  "unavailable",
  "nerve has not answered in time; the items may have been accepted",
  "send them again with the same Idempotency-Key",
);
const NOT_WHOLE = problem("bad-request", "the body ended before its end", null);
const TOO_LARGE = problem("too-much", "the request is over 1 MiB", "send it in several requests");

const method = (allow: string): Content => refusal(405, problem("method", `this path takes ${allow}`, null), { allow });

const soon = (status: number, found: Parameters<typeof refusal>[1], seconds = 1): Content =>
  refusal(status, found, { "retry-after": String(seconds) });

/** As HTTP says what became of an offer. */
function contentOf(sense: string, offered: Offered): Content {
  const { status, problem: found, ids, retryAfterS } = answerTo(sense, offered);
  if (found === null) return json({ ids }, status);
  return retryAfterS === null ? refusal(status, found) : soon(status, found, retryAfterS);
}

/** What the address of a ping says. */
interface Pinged {
  readonly token: string;
  /** The path after the token. */
  readonly after: string;
  readonly run: string | null;
}

/** Ends with the connection, and when the time of the request is over. */
class Limit implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: Timer;

  constructor(connection: AbortSignal) {
    connection.addEventListener("abort", () => this.#controller.abort(), { once: true });
    this.#timer = setTimeout(() => this.#controller.abort(), REQUEST_MS);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

export class PushSite implements Answerer {
  readonly maxBodyBytes = MAX_PING_BYTES;
  readonly #hosts: readonly string[];
  readonly #senders: Senders;
  readonly #offers: Offers;
  readonly #complain: (error: Error) => void;
  readonly #slow = new SlowAnswers();
  readonly #known = new Budget(KNOWN_BYTES);
  readonly #unknown = new Budget(UNKNOWN_BYTES);
  #requests = 0;

  constructor(
    listens: Pick<ListenConfig, "hostname" | "hosts">,
    senders: Senders,
    offers: Offers,
    complain: (error: Error) => void,
  ) {
    this.#hosts = hostsOf(listens);
    this.#senders = senders;
    this.#offers = offers;
    this.#complain = complain;
  }

  async answer(request: Request): Promise<Response> {
    if (this.#requests >= MAX_REQUESTS) return respond(request, closing(soon(503, BUSY)));
    this.#requests++;
    try {
      return respond(request, await this.#answer(request));
    } finally {
      this.#requests--;
    }
  }

  async #answer(request: Request): Promise<Content> {
    const refused = misaddressed(request, this.#hosts, "push") ?? (isForeign(request) ? FOREIGN : null);
    if (refused !== null) return closing(refusal(refused.status, refused));
    const { pathname, searchParams } = new URL(request.url);
    using limit = new Limit(request.signal);
    const late = limit.signal;
    const [, written] = INBOX.exec(pathname) ?? [];
    if (written !== undefined) return await this.#toInbox(request, nameIn(written), late);
    const [, token, after = ""] = PING.exec(pathname) ?? [];
    if (token !== undefined) return await this.#pinged(request, { token, after, run: runOf(searchParams) }, late);
    return closing(refusal(404, NOT_FOUND));
  }

  // ── items ────────────────────────────────────────────────────────────

  async #toInbox(request: Request, sense: string | null, late: AbortSignal): Promise<Content> {
    if (request.method !== "POST") return method("POST");
    const bearer = bearerOf(request);
    const isKnown = bearer !== null && sense !== null && this.#senders.opens(bearer, sense);
    const secret = sense === null ? null : this.#senders.secretOf(sense);
    if (!isKnown && bearer !== null) return this.#wrongToken(bearer, sense, late);
    if (sense === null || (!isKnown && (secret === null || !isSigned(request.headers)))) return this.#whoAreYou(late);
    const size = announced(request, MAX_REQUEST_BYTES);
    if (size > MAX_REQUEST_BYTES) return closing(refusal(413, TOO_LARGE));
    using room = (isKnown ? this.#known : this.#unknown).take(size);
    if (room === null) return closing(soon(503, BUSY));
    const read = await readWhole(request, MAX_REQUEST_BYTES, late);
    if (read.kind !== "whole") return unread(read.kind);
    if (!isKnown && !isSignedWith(secret ?? "", request.headers, read.bytes, Date.now()))
      return this.#whoAreYou(late, WRONG_SIGNATURE);
    const given = givenBy(request.headers, new TextDecoder().decode(read.bytes));
    if (!given.ok) return refusal(given.error.status, given.error);
    return this.#offer(sense, given.value, late);
  }

  async #offer(sense: string, given: Given, late: AbortSignal): Promise<Content> {
    const offered = await this.#offers.offer(sense, given, late);
    return offered === null ? soon(503, SILENT) : contentOf(sense, offered);
  }

  /** Who has the token of some sense may learn which inboxes there are not. */
  async #wrongToken(bearer: string, sense: string | null, late: AbortSignal): Promise<Content> {
    if (sense !== null && !this.#senders.has(sense) && this.#senders.opensSome(bearer))
      return closing(contentOf(sense, { kind: "no-inbox" }));
    return this.#whoAreYou(late);
  }

  async #whoAreYou(late: AbortSignal, found = WHO): Promise<Content> {
    await this.#slow.wait(late);
    return closing(refusal(401, found, { "www-authenticate": "Bearer" }));
  }

  // ── pings ────────────────────────────────────────────────────────────

  async #pinged(request: Request, { token, after, run }: Pinged, late: AbortSignal): Promise<Content> {
    if (!["GET", "HEAD", "POST"].includes(request.method)) return method("GET, HEAD, POST");
    const sense = this.#senders.pingedBy(token);
    if (sense === null) {
      await this.#slow.wait(late);
      return closing(refusal(404, NOT_FOUND));
    }
    const ping = pingOf(after, sense);
    if (ping === null) return closing(refusal(404, NOT_FOUND));
    const read = await readEnd(request, MAX_OUTPUT_BYTES + 4, late);
    if (read.kind !== "whole") return unread(read.kind);
    const output = read.bytes.length === 0 ? null : outputOf(read.bytes);
    const body = { exit_code: ping.exitCode, duration_ms: null, output };
    const key = keyOf(request.headers);
    if (!key.ok) return refusal(key.error.status, key.error);
    const answer = await this.#offer(sense, givenByPing(ping.type, body, run, key.value), late);
    return answer.status === 202 ? { status: 200, type: "text/plain; charset=utf-8", body: "OK", headers: {} } : answer;
  }

  /** A bug of this process: named in the log, and no word of it outside. */
  broken(error: Error): Response {
    this.#complain(error);
    const found = problem("internal", "an internal error: nerve logs has it", null);
    return respond(new Request("http://localhost/"), refusal(500, found));
  }

  close(): void {
    this.#slow.close();
  }
}

/** The rest of a request that is refused is not read. */
const closing = (content: Content): Content => ({ ...content, headers: { ...content.headers, connection: "close" } });

function unread(kind: Exclude<BodyRead["kind"], "whole">): Content {
  switch (kind) {
    case "too-large":
      return closing(refusal(413, TOO_LARGE));
    case "too-slow":
      return closing(refusal(408, SLOW));
    case "broken":
      return closing(refusal(400, NOT_WHOLE));
  }
}

/** Null where it is no name. */
function nameIn(written: string): string | null {
  try {
    const name = decodeURIComponent(written);
    return /^[^/\0]+$/.test(name) ? name : null;
  } catch {
    return null;
  }
}

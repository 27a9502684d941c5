/** Owns the way of a request: the guard, the file or the route it asks for, who sent it, the answer. */
import type { WebLook } from "../control/web-look.ts";
import { hostsOf } from "../http/addressed.ts";
import { type Content, json, refusal, respond, SAFE_HEADERS } from "../http/answers.ts";
import type { Answerer, SetIdle } from "../http/listener.ts";
import { CONTENT_TYPE, exposition } from "../metrics/exposition.ts";
import { NewestNumbers } from "../metrics/newest-numbers.ts";
import { storeBytes } from "../metrics/sizes.ts";
import { type Problem, problem } from "../model/problem.ts";
import { refusalOf } from "./guard.ts";
import { type KernelLink, SILENT_MS } from "./kernel-link.ts";
import { answerFile, pageFile } from "./page-files.ts";
import type { Place } from "./place.ts";
import { readQuery } from "./query.ts";
import { ROUTES, type Route } from "./routes.ts";
import { SignIn } from "./sign-in.ts";
import { Slices } from "./slices.ts";
import { STALLED_SECONDS, STREAM_QUERY, Streams } from "./stream.ts";

const NOT_FOUND = problem("not-found", "there is nothing at this path", "`/api/v1/openapi.json` lists what there is");
const WHO = problem(
  "signed-out",
  "say who you are: a cookie, or `Authorization: Bearer TOKEN`",
  "nerve open · nerve token page",
);
const BUSY = problem("too-many", "too many follow already", null);

const STATUS: Readonly<Record<string, number>> = {
  "bad-parameter": 400,
  "unknown-parameter": 400,
  usage: 400,
  "too-much": 503,
};

const statusOf = ({ kind }: Problem): number =>
  STATUS[kind] ?? (kind.startsWith("unknown-") || kind === "ambiguous-trace" ? 404 : 503);

export class Site implements Answerer {
  /** Nothing is taken in but the head of a request. */
  readonly maxBodyBytes = 1_024;
  readonly #place: Place;
  readonly #link: KernelLink;
  readonly #complain: (error: Error) => void;
  readonly #signIn: SignIn;
  readonly #numbers = new NewestNumbers();
  readonly #streams: Streams;

  constructor(place: Place, link: KernelLink, complain: (error: Error) => void) {
    this.#place = place;
    this.#link = link;
    this.#complain = complain;
    this.#signIn = new SignIn(place.data, place.instance);
    this.#streams = new Streams(place, link, complain);
  }

  async answer(request: Request, setIdle: SetIdle): Promise<Response> {
    const { http } = this.#place.config;
    const refused = refusalOf(request, http === null ? [] : hostsOf(http));
    if (refused !== null) {
      const headers = refused.status === 405 ? { allow: "GET, HEAD" } : {};
      return respond(request, refusal(refused.status, refused, headers));
    }
    const url = new URL(request.url);
    const { pathname: path } = url;
    if (path === "/healthz") return respond(request, await this.#health());
    if (path === "/metrics") return respond(request, await this.#metrics(request));
    if (path === "/session") return respond(request, await this.#session(request));
    const file = path === "/" || path.startsWith("/assets/") ? await pageFile(path) : null;
    if (file !== null) return answerFile(file, request, SAFE_HEADERS);
    const route = ROUTES.find(({ pattern }) => pattern.test(path));
    if (route === undefined) return respond(request, await this.#unknown(request));
    return this.#routed(request, url, route, setIdle);
  }

  /** Who has no token does not learn which paths there are. */
  async #unknown(request: Request): Promise<Content> {
    const refused = await this.#refusedSender(request, "page");
    return refused ?? refusal(404, NOT_FOUND);
  }

  async #refusedSender(request: Request, reach: "page" | "metrics"): Promise<Content | null> {
    const { kind } = this.#signIn.standing(request, reach);
    if (kind === "open") return null;
    if (kind === "wrong") await this.#signIn.wait(request.signal);
    return refusal(401, WHO, { "www-authenticate": "Bearer" });
  }

  async #routed(request: Request, url: URL, route: Route, setIdle: SetIdle): Promise<Response> {
    const refused = await this.#refusedSender(request, "page");
    if (refused !== null) return respond(request, refused);
    const opened = this.#place.store();
    if (!opened.ok) return respond(request, refusal(503, this.#shown(opened.error)));
    const store = opened.value;
    if (route.kind === "stream") {
      if (this.#streams.isFull) return respond(request, refusal(503, BUSY));
      const query = readQuery(url.searchParams, STREAM_QUERY);
      if (!query.ok) return respond(request, refusal(400, this.#shown(query.error)));
      const header = request.headers.get("last-event-id");
      const heard = STREAM_QUERY.from.read(header === null ? [] : [header], "Last-Event-ID");
      if (!heard.ok) return respond(request, refusal(400, this.#shown(heard.error)));
      const resume = heard.value ?? query.value.from;
      setIdle(STALLED_SECONDS);
      const headers = {
        ...SAFE_HEADERS,
        "content-type": "text/event-stream; charset=utf-8",
        "x-accel-buffering": "no",
      };
      if (request.method === "HEAD") return new Response(null, { headers });
      const isOpen = (): boolean => this.#signIn.standing(request, "page").kind === "open";
      return new Response(this.#streams.follow(store, resume, query.value, request.signal, isOpen), { headers });
    }
    const standing = this.#signIn.standing(request, "page");
    const until = standing.kind === "open" ? standing.until : null;
    try {
      const [, ...found] = route.pattern.exec(url.pathname) ?? [];
      const names = found.map((part) => decodeURIComponent(part));
      const parts = { place: this.#place, link: this.#link, store, query: url.searchParams, names, until };
      const answer = await route.answer(parts);
      if (!answer.ok) return respond(request, refusal(statusOf(answer.error), this.#shown(answer.error)));
      return respond(request, json(this.#place.secrets.json(answer.value)));
    } catch (error) {
      if (error instanceof URIError) return respond(request, refusal(404, NOT_FOUND));
      // The file was replaced or is damaged: the next question opens it anew.
      this.#place.forgetStore();
      throw error;
    }
  }

  #shown({ kind, message, hint }: Problem): Pick<Problem, "kind" | "message" | "hint"> {
    return this.#place.secrets.json({ kind, message, hint });
  }

  async #session(request: Request): Promise<Content> {
    const cookie = this.#signIn.exchange(request);
    if (cookie !== null) return { status: 204, type: "text/plain", body: "", headers: { "set-cookie": cookie } };
    await this.#signIn.wait(request.signal);
    return refusal(401, problem("code", "this code opens nothing: it is good once, and for a minute", "nerve open"));
  }

  /** What a scraper reads. While the kernel is silent its counts are left out: old ones would look like a host at rest. */
  async #metrics(request: Request): Promise<Content> {
    const refused = await this.#refusedSender(request, "metrics");
    if (refused !== null) return refused;
    const look = await this.#presentLook();
    const { data, config, secrets } = this.#place;
    const opened = this.#place.store();
    if (!opened.ok) return refusal(503, this.#shown(opened.error));
    const bytes = storeBytes(data, config.senses.keys());
    try {
      const store = opened.value;
      const counts = look?.metrics ?? null;
      const numbers = counts === null ? null : await this.#numbers.of(counts, config, store, new Slices());
      const { fleet, otlp } = look?.status ?? { fleet: null, otlp: null };
      const text = exposition({ look: counts, numbers: numbers ?? new Map(), fleet, otlp, store, bytes });
      return { status: 200, type: CONTENT_TYPE, body: secrets.text(text), headers: {} };
    } catch (error) {
      // The file was replaced or is damaged: the next question opens it anew.
      this.#place.forgetStore();
      throw error;
    }
  }

  /** Null while the kernel is silent. */
  async #presentLook(): Promise<WebLook | null> {
    const look = await this.#link.look();
    return this.#link.ageMs < SILENT_MS ? look : null;
  }

  async #health(): Promise<Content> {
    const look = await this.#presentLook();
    const isWell = look !== null && look.status.kernel.store === "ok";
    return {
      status: isWell ? 200 : 503,
      type: "text/plain; charset=utf-8",
      body: isWell ? "ok\n" : "not ok\n",
      headers: {},
    };
  }

  /** A bug of this process: named in the log, and no word of it outside. */
  broken(error: Error): Response {
    this.#complain(error);
    const body = JSON.stringify({
      error: { kind: "internal", message: "an internal error: nerve logs has it", hint: null },
    });
    return new Response(body, {
      status: 500,
      headers: { ...SAFE_HEADERS, "content-type": "application/json; charset=utf-8" },
    });
  }

  close(): void {
    this.#streams.close();
    this.#signIn.close();
  }
}

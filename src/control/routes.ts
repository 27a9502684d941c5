/** The paths of the control socket: what each is asked with, and who answers. docs/operations.md lists them. */
import type { Result } from "../base/result.ts";
import { answerTo } from "../inbox/offered.ts";
import { givenBy } from "../inbox/request.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { Acts } from "./acts.ts";
import {
  type Body,
  type BodyShape,
  ids,
  names,
  positive,
  prose,
  proseOrNone,
  readBody,
  runInput,
  short,
  shortOrNone,
} from "./body.ts";
import type { Looks } from "./looks.ts";

/** What a request comes to, before it is HTTP. */
export interface Answer {
  readonly status: number;
  readonly outcome: Result<object, readonly Problem[]>;
  readonly headers: Readonly<Record<string, string>>;
}

export type Route =
  | { readonly kind: "look"; readonly method: "GET"; answer(query: URLSearchParams): Answer }
  | { readonly kind: "act"; readonly method: "POST"; answer(body: unknown): Promise<Answer> }
  /** A POST that says by its headers what its body is. `name`: the end of the path. */
  | {
      readonly kind: "give";
      readonly method: "POST";
      answer(name: string, headers: Headers, body: string): Promise<Answer>;
    };

const NO_HEADERS: Answer["headers"] = {};
const given = (status: number, value: object): Answer => ({
  status,
  outcome: { ok: true, value },
  headers: NO_HEADERS,
});
const refused = (status: number, problems: readonly Problem[], headers = NO_HEADERS): Answer => ({
  status,
  outcome: { ok: false, error: problems },
  headers,
});

/** A body that cannot be read. */
const BAD_REQUEST = 400;
/** What was asked is understood and cannot be done. */
const CONFLICT = 409;
/** The config that was to be read is bad. */
const UNPROCESSABLE = 422;

const look = (ask: () => object): Route => ({
  kind: "look",
  method: "GET",
  answer: () => given(200, ask()),
});

/** A look that begins behind a cursor, `?after=ID`; without one: null. */
const lookAfter = (ask: (after: number | null) => object): Route => ({
  kind: "look",
  method: "GET",
  answer(query) {
    const written = query.get("after");
    const after = written === null ? null : Number(written);
    if (after === null || (Number.isSafeInteger(after) && after >= 0)) {
      return given(200, ask(after));
    }
    const found = problem("bad-request", "`after` is not the id of a log", "write a whole number from 0 on");
    return refused(BAD_REQUEST, [found]);
  },
});

/** What comes in from outside: JSON, JSON lines or a CloudEvent. */
const give = (offer: Acts["offer"]): Route => ({
  kind: "give",
  method: "POST",
  async answer(name, headers, body) {
    const items = givenBy(headers, body);
    if (!items.ok) {
      const { status, kind, message, hint } = items.error;
      return refused(status, [problem(kind, message, hint)]);
    }
    const { status, problem: found, ids, retryAfterS } = answerTo(name, await offer(name, items.value));
    if (found === null) return given(status, { ids });
    return refused(status, [found], retryAfterS === null ? NO_HEADERS : { "retry-after": String(retryAfterS) });
  },
});

type ActOutcome = Result<object, Problem | readonly Problem[]>;

function act<const S extends BodyShape>(
  shape: S,
  does: (body: Body<S>) => ActOutcome | Promise<ActOutcome>,
  refusedWith: number = CONFLICT,
): Route {
  return {
    kind: "act",
    method: "POST",
    async answer(sent) {
      const body = readBody(sent, shape);
      if (!body.ok) {
        const found = problem("bad-request", `the body is not ${body.error}`, null);
        return refused(BAD_REQUEST, [found]);
      }
      const outcome = await does(body.value);
      if (outcome.ok) return given(200, outcome.value);
      const problems = Array.isArray(outcome.error) ? (outcome.error as Problem[]) : [outcome.error as Problem];
      return refused(refusedWith, problems);
    },
  };
}

export const routesOf = (looks: Looks, acts: Acts): Readonly<Record<string, Route>> => ({
  "/status": look(() => looks.status()),
  "/silences": look(() => looks.silences()),
  "/failures": lookAfter((after) => looks.failures(after)),
  "/trigger": act({ name: short }, ({ name }) => acts.trigger(name)),
  "/enable": act({ name: short }, ({ name }) => acts.enable(name)),
  "/disable": act({ name: short }, ({ name }) => acts.disable(name)),
  "/release": act({ name: short }, ({ name }) => acts.release(name)),
  "/run": act({ workflow: short, input: runInput }, ({ workflow, input }) => acts.run(workflow, input)),
  "/cancel": act({ run: positive }, ({ run }) => acts.cancel(run)),
  "/retry": act({ run: positive, from_step: shortOrNone }, ({ run, from_step }) => acts.retry(run, from_step)),
  "/silence": act({ pattern: short, for_ms: positive, why: prose }, (request) => acts.silence(request)),
  "/ack": act({ incident: positive, by: short, why: proseOrNone }, (request) => acts.ack(request)),
  "/resolve": act({ incident: positive, by: short, why: proseOrNone }, (request) => acts.resolve(request)),
  "/unsilence": act({ pattern: short }, ({ pattern }) => acts.unsilence(pattern)),
  "/v1/inbox/:name": give((sense, items) => acts.offer(sense, items)),
  "/retry-items": act({ items: ids }, ({ items }) => acts.retryItems(items)),
  "/drop-items": act({ items: ids }, ({ items }) => acts.dropItems(items)),
  "/ask-hosts": act({ hosts: names }, ({ hosts }) => acts.askHosts(hosts)),
  "/forget-host": act({ host: short }, ({ host }) => acts.forgetHost(host)),
  "/archive": act({}, () => acts.archive()),
  "/reload": act({}, () => acts.reload(), UNPROCESSABLE),
});

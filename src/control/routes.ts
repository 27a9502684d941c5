/** The paths of the control socket: what each is asked with, and who answers. docs/operations.md lists them. */
import type { Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { Acts } from "./acts.ts";
import {
  type Body,
  type BodyShape,
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
}

export type Route =
  | { readonly method: "GET"; answer(query: URLSearchParams): Answer }
  | { readonly method: "POST"; answer(body: unknown): Promise<Answer> };

/** A body that cannot be read. */
const BAD_REQUEST = 400;
/** What was asked is understood and cannot be done. */
const CONFLICT = 409;
/** The config that was to be read is bad. */
const UNPROCESSABLE = 422;

const look = (ask: () => object): Route => ({
  method: "GET",
  answer: () => ({ status: 200, outcome: { ok: true, value: ask() } }),
});

/** A look that begins behind a cursor, `?after=ID`; without one: null. */
const lookAfter = (ask: (after: number | null) => object): Route => ({
  method: "GET",
  answer(query) {
    const written = query.get("after");
    const after = written === null ? null : Number(written);
    if (after === null || (Number.isSafeInteger(after) && after >= 0)) {
      return { status: 200, outcome: { ok: true, value: ask(after) } };
    }
    const found = problem("bad-request", "`after` is not the id of a log", "write a whole number from 0 on");
    return { status: BAD_REQUEST, outcome: { ok: false, error: [found] } };
  },
});

type ActOutcome = Result<object, Problem | readonly Problem[]>;

function act<const S extends BodyShape>(
  shape: S,
  does: (body: Body<S>) => ActOutcome | Promise<ActOutcome>,
  refusedWith: number = CONFLICT,
): Route {
  return {
    method: "POST",
    async answer(given) {
      const body = readBody(given, shape);
      if (!body.ok) {
        const found = problem("bad-request", `the body is not ${body.error}`, null);
        return { status: BAD_REQUEST, outcome: { ok: false, error: [found] } };
      }
      const outcome = await does(body.value);
      if (outcome.ok) return { status: 200, outcome };
      const problems = Array.isArray(outcome.error) ? (outcome.error as Problem[]) : [outcome.error as Problem];
      return { status: refusedWith, outcome: { ok: false, error: problems } };
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
  "/archive": act({}, () => acts.archive()),
  "/reload": act({}, () => acts.reload(), UNPROCESSABLE),
});

/** The control socket: HTTP with JSON on a Unix socket that only nerve's user reaches. */
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../base/json.ts";
import type { Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import {
  type Archived,
  type Refusal,
  type Reloaded,
  type RunAnswer,
  type SilenceAnswer,
  type SilenceRequest,
  SOCKET_NAME,
  type Status,
} from "./contract.ts";
import { faultOfInput } from "./run-input.ts";

export interface Controls {
  status(): Status;
  trigger(name: string): Promise<Result<{ sense: string; trace: string }, Problem>>;
  enable(name: string): Promise<Result<{ name: string; enabled: boolean }, Problem>>;
  disable(name: string): Promise<Result<{ name: string; enabled: boolean }, Problem>>;
  release(name: string): Result<{ sense: string; released: boolean }, Problem>;
  reload(): Promise<Result<Reloaded, readonly Problem[]>>;
  run(workflow: string, input: Json): Promise<Result<RunAnswer, Problem>>;
  cancel(run: number): Promise<Result<RunAnswer, Problem>>;
  retry(run: number, fromStep: string | null): Promise<Result<RunAnswer, Problem>>;
  silences(): readonly SilenceAnswer[];
  silence(request: SilenceRequest): Promise<Result<SilenceAnswer, Problem>>;
  unsilence(pattern: string): Promise<Result<SilenceAnswer, Problem>>;
  archive(): Promise<Result<Archived, Problem>>;
}

const MAX_BODY_BYTES = 128 * 1024;

const refuse = (status: number, problems: readonly Problem[]): Response => {
  const [error] = problems;
  if (error === undefined) throw new Error("a refusal names a problem");
  const body: Refusal = { error, problems };
  return Response.json(body, { status });
};

const isShort = (value: unknown): value is string => typeof value === "string" && value.length <= 200;
const isPositive = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

/** What a POST asks for, by the fields of its body; a string says what is wrong with them. */
type Ask = (
  body: Readonly<Record<string, unknown>>,
) => Promise<Result<object, Problem>> | Result<object, Problem> | string;

async function answer(request: Request, ask: Ask): Promise<Response> {
  const body: unknown = await request.json().catch(() => null);
  const asked = typeof body === "object" && body !== null ? ask(body as Record<string, unknown>) : "a JSON object";
  if (typeof asked === "string") return refuse(400, [problem("bad-request", `the body is not ${asked}`, null)]);
  const outcome = await asked;
  return outcome.ok ? Response.json(outcome.value) : refuse(409, [outcome.error]);
}

export interface ControlServer {
  stop(): Promise<void>;
}

/** Listens on `path`; a socket file that an earlier kernel left is removed first (the data directory's lock is held). */
export function serveControl(data: string, path: string, controls: Controls): ControlServer {
  const left = lstatSync(join(data, SOCKET_NAME), { throwIfNoEntry: false });
  if (left?.isSocket()) unlinkSync(join(data, SOCKET_NAME));
  const posted =
    (ask: Ask) =>
    (request: Request): Promise<Response> =>
      answer(request, ask);
  const named = (act: (name: string) => ReturnType<Ask>) =>
    posted(({ name }) => (isShort(name) ? act(name) : "a JSON object with a name"));
  const server = Bun.serve({
    unix: path,
    // The types know no idle timeout on a Unix socket; the runtime has one, which would cut a slow reload.
    ...({ idleTimeout: 0 } as object),
    maxRequestBodySize: MAX_BODY_BYTES,
    routes: {
      "/status": { GET: () => Response.json(controls.status()) },
      "/trigger": { POST: named(controls.trigger) },
      "/enable": { POST: named(controls.enable) },
      "/disable": { POST: named(controls.disable) },
      "/release": { POST: named(controls.release) },
      "/run": {
        POST: posted(({ workflow, input = null }) => {
          if (!isShort(workflow)) return "a JSON object with a workflow";
          const fault = faultOfInput(input);
          if (fault !== null) return `fit: the input ${fault}`;
          return controls.run(workflow, input as Json);
        }),
      },
      "/cancel": { POST: posted(({ run }) => (isPositive(run) ? controls.cancel(run) : "a JSON object with a run")) },
      "/silences": { GET: () => Response.json(controls.silences()) },
      "/silence": {
        POST: posted(({ pattern, for_ms, why }) => {
          if (!isShort(pattern) || typeof why !== "string" || why.length > 1_000) return "one with a pattern and a why";
          if (!isPositive(for_ms)) return "one with for_ms, positive whole milliseconds";
          return controls.silence({ pattern, for_ms, why });
        }),
      },
      "/unsilence": {
        POST: posted(({ pattern }) => (isShort(pattern) ? controls.unsilence(pattern) : "one with a pattern")),
      },
      "/retry": {
        POST: posted(({ run, from_step: from = null }) =>
          isPositive(run) && (from === null || isShort(from)) ? controls.retry(run, from) : "a JSON object with a run",
        ),
      },
      "/archive": {
        POST: async () => {
          const outcome = await controls.archive();
          return outcome.ok ? Response.json(outcome.value) : refuse(409, [outcome.error]);
        },
      },
      "/reload": {
        POST: async () => {
          const outcome = await controls.reload();
          return outcome.ok ? Response.json(outcome.value) : refuse(422, outcome.error);
        },
      },
    },
    fetch: (request) => {
      const where = `${request.method} ${new URL(request.url).pathname}`;
      return refuse(404, [problem("not-found", `the control socket knows no ${where}`, null)]);
    },
    error: (error) => refuse(500, [problem("internal", `an internal error: ${error.message}`, null)]),
  });
  chmodSync(join(data, SOCKET_NAME), 0o600);
  return { stop: () => server.stop(true) };
}

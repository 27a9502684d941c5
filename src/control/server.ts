/** The control socket: HTTP with JSON on a Unix socket that only nerve's user reaches. */
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import { type Refusal, type Reloaded, SOCKET_NAME, type Status } from "./contract.ts";

export interface Controls {
  status(): Status;
  trigger(name: string): Promise<Result<{ sense: string; trace: string }, Problem>>;
  enable(name: string): Promise<Result<{ name: string; enabled: boolean }, Problem>>;
  disable(name: string): Promise<Result<{ name: string; enabled: boolean }, Problem>>;
  release(name: string): Result<{ sense: string; released: boolean }, Problem>;
  reload(): Promise<Result<Reloaded, readonly Problem[]>>;
}

const MAX_BODY_BYTES = 64 * 1024;

const refuse = (status: number, problems: readonly Problem[]): Response => {
  const [error] = problems;
  if (error === undefined) throw new Error("a refusal names a problem");
  const body: Refusal = { error, problems };
  return Response.json(body, { status });
};

async function nameOf(request: Request): Promise<string | null> {
  try {
    const { name } = (await request.json()) as { name?: unknown };
    return typeof name === "string" && name.length <= 200 ? name : null;
  } catch {
    return null;
  }
}

export interface ControlServer {
  stop(): Promise<void>;
}

/** Listens on `path`; a socket file that an earlier kernel left is removed first (the data directory's lock is held). */
export function serveControl(data: string, path: string, controls: Controls): ControlServer {
  const left = lstatSync(join(data, SOCKET_NAME), { throwIfNoEntry: false });
  if (left?.isSocket()) unlinkSync(join(data, SOCKET_NAME));
  const named =
    (act: (name: string) => Promise<Result<object, Problem>> | Result<object, Problem>) =>
    async (request: Request): Promise<Response> => {
      const name = await nameOf(request);
      if (name === null)
        return refuse(400, [problem("bad-request", "the body is not a JSON object with a name", null)]);
      const outcome = await act(name);
      return outcome.ok ? Response.json(outcome.value) : refuse(409, [outcome.error]);
    };
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

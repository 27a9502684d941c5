/** The control socket: HTTP with JSON on a Unix socket that only nerve's user reaches. Owns its file. */
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { exceedsBytes } from "../base/json.ts";
import type { Secrets } from "../base/secrets.ts";
import { MAX_REQUEST_BYTES } from "../inbox/given.ts";
import { type Problem, problem } from "../model/problem.ts";
import { type Refusal, SOCKET_NAME } from "./contract.ts";
import type { Answer, Route } from "./routes.ts";

/** Of what is asked of nerve. What is handed to an inbox may be larger. */
const MAX_BODY_BYTES = 128 * 1024;

/** An answer without what may not be shown. */
type Show = (body: object) => object;

const refuse = (
  status: number,
  problems: readonly Problem[],
  show: Show,
  headers: Answer["headers"] = {},
): Response => {
  const [error] = problems;
  if (error === undefined) throw new Error("a refusal names a problem");
  const body: Refusal = { error, problems };
  return Response.json(show(body), { status, headers });
};

const respond = ({ status, outcome, headers }: Answer, show: Show): Response =>
  outcome.ok ? Response.json(show(outcome.value), { status, headers }) : refuse(status, outcome.error, show, headers);

type Handler = (request: Bun.BunRequest<"/:name">) => Response | Promise<Response>;

function handlerOf(route: Route, show: Show): Record<string, Handler> {
  switch (route.kind) {
    case "look":
      return { GET: ({ url }) => respond(route.answer(new URL(url).searchParams), show) };
    case "act":
      return {
        async POST(request) {
          const text = await request.text();
          if (exceedsBytes(text, MAX_BODY_BYTES)) return new Response(null, { status: 413 });
          return respond(await route.answer(bodyIn(text)), show);
        },
      };
    case "give":
      return {
        POST: async (request) =>
          respond(await route.answer(request.params.name, request.headers, await request.text()), show),
      };
  }
}

/** Null where it is no JSON: no route takes that for a body. An absent one asks for nothing in particular. */
function bodyIn(text: string): unknown {
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export interface ControlServer {
  stop(): Promise<void>;
}

/** Listens on `path`; a socket file that an earlier kernel left is removed first (the data directory's lock is held). */
export function serveControl(
  data: string,
  path: string,
  routes: Readonly<Record<string, Route>>,
  secrets: Secrets,
): ControlServer {
  const show: Show = (body) => secrets.json(body);
  const left = lstatSync(join(data, SOCKET_NAME), { throwIfNoEntry: false });
  if (left?.isSocket()) unlinkSync(join(data, SOCKET_NAME));
  const server = Bun.serve({
    unix: path,
    // The types know no idle timeout on a Unix socket; the runtime has one, which would cut a slow reload.
    ...({ idleTimeout: 0 } as object),
    maxRequestBodySize: MAX_REQUEST_BYTES,
    routes: Object.fromEntries(Object.entries(routes).map(([at, route]) => [at, handlerOf(route, show)])),
    fetch: (request) => unknownPath(request, show),
    error: (error) => refuse(500, [problem("internal", `an internal error: ${error.message}`, null)], show),
  });
  chmodSync(join(data, SOCKET_NAME), 0o600);
  return { stop: () => server.stop(true) };
}

function unknownPath({ method, url }: Request, show: Show): Response {
  const found = URL.canParse(url)
    ? problem("not-found", `the control socket knows no ${method} ${new URL(url).pathname}`)
    : problem("bad-request", "the request's path or host is no part of a URL");
  return refuse(found.kind === "not-found" ? 404 : 400, [found], show);
}

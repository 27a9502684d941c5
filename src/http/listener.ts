/** Owns the port: taken as soon as it is free, given back at the end. */
import type { ListenConfig } from "../model/config.ts";

const TRY_AGAIN_MS = 2_000;
/** The kernel says it this often as well. */
const SAY_AGAIN_MS = 60_000;
/** A connection without a request or an answer under way for so many seconds is closed. */
const IDLE_SECONDS = 10;
export interface Listener {
  stop(): Promise<void>;
}

/** Sets after how many idle seconds the connection of this request is closed. */
export type SetIdle = (seconds: number) => void;

/** Who answers what comes in by the port. */
export interface Answerer {
  /** A larger body is refused before it is read. */
  readonly maxBodyBytes: number;
  answer(request: Request, setIdle: SetIdle): Promise<Response>;
  /** After a bug. */
  broken(error: Error): Response;
}

/** `say`: why it does not listen, or null once it does. */
export function listen(
  { hostname, port }: Pick<ListenConfig, "hostname" | "port">,
  answerer: Answerer,
  say: (reason: string | null) => void,
): Listener {
  let server: Bun.Server<undefined> | null = null;
  let timer: Timer | null = null;
  let saidAt = Number.NEGATIVE_INFINITY;
  let stopped = false;
  const attempt = (): void => {
    timer = null;
    if (stopped) return;
    try {
      server = Bun.serve({
        hostname,
        port,
        idleTimeout: IDLE_SECONDS,
        maxRequestBodySize: answerer.maxBodyBytes,
        fetch: (request, bun) => answerer.answer(request, (seconds) => bun.timeout(request, seconds)),
        error: (error) => answerer.broken(error),
      });
      say(null);
    } catch (error) {
      if (performance.now() - saidAt >= SAY_AGAIN_MS) {
        saidAt = performance.now();
        say(describe(error as NodeJS.ErrnoException));
      }
      timer = setTimeout(attempt, TRY_AGAIN_MS);
    }
  };
  attempt();
  return {
    async stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      await server?.stop(true);
    },
  };
}

const describe = ({ code, message }: NodeJS.ErrnoException): string =>
  code === "EADDRINUSE" ? "another process has the port" : code === "EACCES" ? "nerve may not have this port" : message;

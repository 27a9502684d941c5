/** Owns the port: taken as soon as it is free, given back at the end. */
import type { ListenConfig } from "../model/config.ts";
import type { Site } from "./site.ts";

const TRY_AGAIN_MS = 2_000;
/** The kernel says it this often as well. */
const SAY_AGAIN_MS = 60_000;
/** A connection without a request or an answer under way for so many seconds is closed. */
const IDLE_SECONDS = 10;
/** Nothing is taken in but the head of a request. */
const MAX_BODY_BYTES = 1_024;

export interface Listener {
  stop(): Promise<void>;
}

/** `say`: why it does not listen, or null once it does. */
export function listen({ hostname, port }: ListenConfig, site: Site, say: (reason: string | null) => void): Listener {
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
        maxRequestBodySize: MAX_BODY_BYTES,
        fetch: (request, bun) => site.answer(request, (seconds) => bun.timeout(request, seconds)),
        error: (error) => site.broken(error),
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

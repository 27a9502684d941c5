/**
 * `nerve/checks`: what senses share that look whether something is well: the results in a row, a limit in time, and words for
 * what a network answers.
 */
import { duration } from "./options.ts";

/** How often in a row a check went one way. One of the two is 0. */
export interface InARow {
  readonly failures: number;
  readonly successes: number;
}

/** `before`: the result of the last look at the same thing; undefined where there was none. */
export const inARow = (before: InARow | undefined, isWell: boolean): InARow => ({
  failures: isWell ? 0 : (before?.failures ?? 0) + 1,
  successes: isWell ? (before?.successes ?? 0) + 1 : 0,
});

/** What the payload of every check declares. */
export const CHECK_PAYLOAD = {
  ok: "boolean",
  reason: "string | null",
  failures: "number.integer >= 0",
  successes: "number.integer >= 0",
} as const;

/** The option `timeout` of a check: how long it waits for an answer. The timeout of the sense has to be longer. */
export const patience = duration("10s", { min: "100ms", max: "5m" });

/** Milliseconds since `start`, a reading of performance.now(), with one decimal. */
export const msSince = (start: number): number => Math.round((performance.now() - start) * 10) / 10;

/**
 * What `act` resolves to, or null where that takes longer than `limitMs`; its own signal fires then, and with `signal`. Throws
 * where `signal` fires.
 */
export async function within<T>(
  limitMs: number,
  signal: AbortSignal,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T | null> {
  signal.throwIfAborted();
  const controller = new AbortController();
  let isLate = false;
  const stop = (): void => controller.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  const timer = setTimeout(() => {
    isLate = true;
    controller.abort(new Error("there was no answer in time"));
  }, limitMs);
  try {
    return await act(controller.signal);
  } catch (error) {
    signal.throwIfAborted();
    if (isLate) return null;
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there (connection refused)",
  ECONNRESET: "the connection was closed before the answer was whole",
  ENOTFOUND: "there is no such host name, or no name server answers",
  EAI_AGAIN: "no name server answers",
  EHOSTUNREACH: "there is no way to the host",
  ENETUNREACH: "there is no way to the network of the host",
  ETIMEDOUT: "the host does not answer",
  Malformed_HTTP_Response: "the answer is not HTTP",
  EPROTO: "the server does not speak TLS",
  ERR_SSL_WRONG_VERSION_NUMBER: "the server does not speak TLS",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "the server does not speak TLS",
};

/** Why nothing came of a connection, for a person. Addresses are left to the caller. */
export function networkReason(error: unknown): string {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code === "string" && Object.hasOwn(WORDS, code)) return WORDS[code] as string;
  return typeof code === "string" ? `${String(message)} (${code})` : String(message ?? error);
}

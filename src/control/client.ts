/** Asks a running kernel over its control socket. */

import { formatDuration } from "../base/duration.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { Refusal } from "./contract.ts";
import { socketPath } from "./socket-path.ts";

export type ControlFailure =
  | { readonly kind: "unreachable"; readonly problem: Problem }
  /** Somebody listens, and does not answer. */
  | { readonly kind: "silent"; readonly problem: Problem }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

/** What is only asked is answered at once. */
const ASKED_PATIENCE_MS = 10_000;
const PATIENCE_MS = 60_000;
/** Years of logs are moved before it answers. */
const ARCHIVE_PATIENCE_MS = 24 * 3_600_000;

/** `body` null asks with GET, else POSTs it. */
export function askKernel<T>(data: string, path: string, body: object | null): Promise<Result<T, ControlFailure>> {
  const patienceMs = body === null ? ASKED_PATIENCE_MS : path === "/archive" ? ARCHIVE_PATIENCE_MS : PATIENCE_MS;
  return send<T>(data, path, body === null ? {} : { method: "POST", body: JSON.stringify(body) }, patienceMs);
}

/** Hands JSON lines to the inbox of a sense. `key`: what makes the same request again the same, or null. */
export function giveKernel(
  data: string,
  sense: string,
  lines: string,
  key: string | null,
): Promise<Result<{ readonly ids: readonly number[] }, ControlFailure>> {
  const headers = { "content-type": "application/x-ndjson", ...(key === null ? {} : { "idempotency-key": key }) };
  return send(
    data,
    `/v1/inbox/${encodeURIComponent(sense)}`,
    { method: "POST", headers, body: lines },
    ASKED_PATIENCE_MS,
  );
}

async function send<T>(
  data: string,
  path: string,
  init: RequestInit,
  patienceMs: number,
): Promise<Result<T, ControlFailure>> {
  try {
    const response = await fetch(`http://nerve${path}`, {
      unix: socketPath(data),
      signal: AbortSignal.timeout(patienceMs),
      // The runtime's own limit of five minutes, which its types do not know here.
      ...({ timeout: false } as object),
      ...init,
    });
    const answer = await response.json();
    return response.ok ? ok(answer as T) : err({ kind: "refused", problems: (answer as Refusal).problems });
  } catch (error) {
    const { name, message } = error as Error;
    if (name === "TimeoutError") {
      const said = `the nerve daemon on ${data} has not answered for ${formatDuration(patienceMs)}`;
      return err({ kind: "silent", problem: problem("unreachable", said, "is its process stopped, or overloaded?") });
    }
    const said = `no nerve daemon answers on ${data}`;
    return err({ kind: "unreachable", problem: problem("unreachable", said, `is it running? (${message})`) });
  }
}

/**
 * One try of a delivery. Errors name the server as the delivery says, and its answer, never the address, a header or a body: any
 * of these may be a secret.
 */
import { withAdvice } from "nerve/retry";
import type { Content } from "./content.ts";
import { redirectTarget, requestHeaders } from "./request.ts";
import { signatureHeaders } from "./signature.ts";

export interface Delivery {
  readonly url: string;
  /** How errors name the server. */
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly content: Content;
  /** The same for every try. */
  readonly id: string;
  readonly traceparent: string | null;
  readonly secrets: readonly string[];
  readonly timeoutMs: number;
}

const MOST_REDIRECTS = 5;
const REDIRECTS = [301, 302, 307, 308];
const TRY_AGAIN = [408, 425, 429];

/** Resolves once the server has taken it. Throws with the advice whether to try again, and when. */
export async function deliver(delivery: Delivery, signal: AbortSignal): Promise<{ status: number }> {
  const address = new URL(delivery.url);
  const { server, content, id, traceparent, secrets } = delivery;
  const seconds = Math.floor(Date.now() / 1_000);
  const headers = requestHeaders(address, content.type, delivery.headers, {
    "idempotency-key": id,
    ...(traceparent === null ? {} : { traceparent }),
    ...signatureHeaders(secrets, { id, seconds, body: content.body }),
  });
  const failure = (what: string, again: boolean, waitMs = 0): Error =>
    withAdvice(new Error(`${server}: ${what}`), { again, waitMs });
  address.username = "";
  address.password = "";
  const limit = AbortSignal.any([signal, AbortSignal.timeout(delivery.timeoutMs)]);
  let to = address;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const request = { method: "POST", headers, body: content.body, redirect: "manual", signal: limit } as const;
    const response = await fetch(to.href, request).catch((error: unknown) => {
      signal.throwIfAborted();
      throw failure(limit.aborted ? `no answer within ${delivery.timeoutMs} ms` : reasonOf(error), true);
    });
    const { status } = response;
    // Nothing in it is of use.
    await response.body?.cancel().catch(() => {});
    if (response.ok) return { status };
    if (!REDIRECTS.includes(status)) {
      const again = status >= 500 || TRY_AGAIN.includes(status);
      throw failure(`it answered ${status}`, again, retryAfterMs(response.headers.get("retry-after")));
    }
    const target = redirectTarget(to, response.headers.get("location"));
    if (typeof target === "string") throw failure(`it answered ${status}, ${target}`, false);
    to = target;
  }
  throw failure(`more than ${MOST_REDIRECTS} redirects`, false);
}

/** The error's code; its message may hold the address. */
function reasonOf(error: unknown): string {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  return typeof code === "string" ? code : String(name);
}

/** Seconds, or a date. */
function retryAfterMs(header: string | null): number {
  if (header === null) return 0;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

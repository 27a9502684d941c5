/** One request with its redirects: a bounded part of the body is read, and nothing stays open behind it. */
import { networkReason } from "nerve/checks";

export interface Request {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** How many redirects are followed. */
  readonly redirects: number;
  readonly verify: boolean;
  /** PEM of the authorities to trust; null for those built in. */
  readonly authorities: string | null;
}

/** What came of a request, and how far it got. */
export interface Answer {
  /** The address of the last request. */
  readonly url: string;
  readonly status: number | null;
  readonly redirects: number;
  /** As much as was read. */
  readonly body: string;
  readonly bytes: number;
  /** As the server says that the body is packed; null where it is not. */
  readonly encoding: string | null;
  /** Why there is no whole answer; null where there is. */
  readonly fault: string | null;
}

/** More of a body is not read. */
export const MOST_BODY_BYTES = 1024 * 1024;

export const isLookedAt = (protocol: string): boolean => protocol === "http:" || protocol === "https:";

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

const none = (url: string, redirects: number, fault: string): Answer => ({
  url,
  status: null,
  redirects,
  body: "",
  bytes: 0,
  encoding: null,
  fault,
});

export async function ask(request: Request, signal: AbortSignal): Promise<Answer> {
  const { origin } = new URL(request.url);
  let { url, method, body } = request;
  for (let redirects = 0; ; redirects++) {
    // What stands in headers may be a secret: it goes to the server that it was written for.
    const headers = new URL(url).origin === origin ? request.headers : {};
    const response = await send({ ...request, url, method, headers, body }, signal);
    if (typeof response === "string") return none(url, redirects, response);
    const target = request.redirects === 0 ? null : targetOf(response, url);
    if (target === null) return await answerOf(response, url, redirects, signal);
    await response.body?.cancel();
    if (redirects === request.redirects) return none(url, redirects, `there were more than ${redirects} redirects`);
    if (!isLookedAt(target.protocol)) {
      return none(url, redirects, `a redirect leads to ${target.protocol}, which is not looked at`);
    }
    if (response.status === 303 || (method === "POST" && response.status < 303)) {
      method = method === "HEAD" ? "HEAD" : "GET";
      body = null;
    }
    url = target.href;
  }
}

/** The response, or why there is none. */
async function send(request: Omit<Request, "redirects">, signal: AbortSignal): Promise<Response | string> {
  const { url, method, headers, body, verify, authorities } = request;
  try {
    return await fetch(url, {
      method,
      headers: { "user-agent": "nerve", accept: "*/*", "accept-encoding": "identity", ...headers },
      ...(body === null ? {} : { body }),
      redirect: "manual",
      keepalive: false,
      decompress: false,
      signal,
      tls: { rejectUnauthorized: verify, ...(authorities === null ? {} : { ca: authorities }) },
    });
  } catch (error) {
    signal.throwIfAborted();
    return networkReason(error);
  }
}

function targetOf(response: Response, base: string): URL | null {
  const location = response.headers.get("location");
  if (!REDIRECTS.has(response.status) || location === null || !URL.canParse(location, base)) return null;
  return new URL(location, base);
}

async function answerOf(response: Response, url: string, redirects: number, signal: AbortSignal): Promise<Answer> {
  const { status } = response;
  const encoding = response.headers.get("content-encoding");
  const { bytes, fault } = await read(response, signal);
  return { url, status, redirects, body: bytes.toString(), bytes: bytes.byteLength, encoding, fault };
}

interface Read {
  readonly bytes: Buffer;
  readonly fault: string | null;
}

/** The begin of the body. What is behind it stays where it is: the connection is closed. */
async function read(response: Response, signal: AbortSignal): Promise<Read> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  try {
    while (reader !== undefined && size < MOST_BODY_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      size += value.byteLength;
    }
    return { bytes: Buffer.concat(chunks).subarray(0, MOST_BODY_BYTES), fault: null };
  } catch (error) {
    signal.throwIfAborted();
    return { bytes: Buffer.concat(chunks).subarray(0, MOST_BODY_BYTES), fault: networkReason(error) };
  } finally {
    await reader?.cancel().catch(() => {});
  }
}

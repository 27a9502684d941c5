/** Owns the first look at a request: its method, whom it is addressed to, and which site sent it. Pure. */
import type { ListenConfig } from "../model/config.ts";

/** What is wrong with a request before anybody asks who sent it; null: nothing. */
export interface Refused {
  readonly status: 400 | 403 | 405 | 421;
  readonly kind: string;
  readonly message: string;
  readonly hint: string | null;
}

const refused = (status: Refused["status"], kind: string, message: string, hint: string | null = null): Refused => ({
  status,
  kind,
  message,
  hint,
});

const PORT = /:\d{1,5}$/;
const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]", "localhost"]);

/** The name in a `Host` header without its port, in small letters; null where that is none. */
export function hostIn(header: string | null): string | null {
  if (header === null || header === "") return null;
  const host = header.replace(PORT, "").toLowerCase();
  return /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)$/.test(host) ? host : null;
}

/** Names besides the usual ones that a request may be addressed to: those of the configuration, and the loopback address of the port. */
export const hostsOf = ({ hostname, hosts }: ListenConfig): readonly string[] =>
  hostname.startsWith("127.") ? [...hosts, hostname] : hosts;

export function refusalOf(request: Request, hosts: readonly string[]): Refused | null {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return refused(405, "method", "nerve can only be looked at: GET and HEAD", "the verbs of nerve act: nerve help");
  }
  const header = request.headers.get("host");
  const host = hostIn(header);
  if (host === null || !(LOOPBACK.has(host) || hosts.includes(host))) {
    const hint = "use localhost, or name the host in `http: { hosts: [NAME] }`";
    return refused(421, "host", "no page of nerve has this name", hint);
  }
  if (!URL.canParse(request.url)) return refused(400, "bad-request", "the path is no part of a URL");
  return isForeign(request, header ?? "") ? refused(403, "origin", "another site asked for this") : null;
}

/** A person who follows a link from elsewhere opens the shell of the page, which holds no data. */
const isVisit = ({ headers, url }: Request): boolean =>
  headers.get("sec-fetch-mode") === "navigate" &&
  headers.get("sec-fetch-dest") === "document" &&
  new URL(url).pathname === "/";

function isForeign(request: Request, host: string): boolean {
  const origin = request.headers.get("origin");
  if (origin !== null && origin !== `http://${host}` && origin !== `https://${host}`) return true;
  const site = request.headers.get("sec-fetch-site");
  return (site === "cross-site" || site === "same-site") && !isVisit(request);
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** On every answer. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cache-control": "no-store",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
};

/** Owns how an answer becomes HTTP: JSON, compressed where that helps, with headers that are safe for every answer. */
import { safeJson } from "../base/escape.ts";
import type { Problem } from "../model/problem.ts";

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

/** Shorter ones are not worth it. */
const COMPRESS_FROM = 1_024;

export interface Content {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

export const json = (value: unknown, status = 200, headers: Content["headers"] = {}): Content => ({
  status,
  type: "application/json; charset=utf-8",
  body: safeJson(value),
  headers,
});

export const refusal = (
  status: number,
  { kind, message, hint }: Pick<Problem, "kind" | "message" | "hint">,
  headers: Content["headers"] = {},
): Content => json({ error: { kind, message, hint } }, status, headers);

const mayCompress = (request: Request): boolean => /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");

export function respond(request: Request, { status, type, body, headers }: Content): Response {
  const all: Record<string, string> = { ...SAFE_HEADERS, "content-type": type, ...headers };
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const isPacked = all["content-encoding"] === undefined && bytes.length >= COMPRESS_FROM && mayCompress(request);
  const sent = isPacked ? Bun.gzipSync(bytes as Uint8Array<ArrayBuffer>, { level: 1 }) : bytes;
  if (isPacked) all["content-encoding"] = "gzip";
  all.vary = "accept-encoding";
  if (status === 204) return new Response(null, { status, headers: all });
  all["content-length"] = String(sent.length);
  return new Response(request.method === "HEAD" ? null : (sent as Uint8Array<ArrayBuffer>), { status, headers: all });
}

/**
 * Owns one try to post a request to a channel. An error names the answer of the server, and never the address, a header or
 * the body, because any of these may be a secret.
 */

import { fetchFailure } from "../base/fetch-failure.ts";
import { oneLine } from "../base/one-line.ts";
import { retryAfterMs } from "../base/retry-after.ts";
import { withAdvice } from "../model/retry-advice.ts";
import type { ChannelRequest } from "./request.ts";

const TRY_AGAIN = [408, 425, 429];
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_ANSWER = 200;

export interface Answer {
  /** The answer in words, for a person: `200 OK`. */
  readonly answer: string;
}

/** `hidden` are texts of the channel's configuration that no message may hold. */
export async function post(request: ChannelRequest, hidden: readonly string[], signal: AbortSignal): Promise<Answer> {
  const response = await fetch(request.url, {
    method: "POST",
    headers: { "user-agent": "nerve", ...request.headers },
    body: request.body,
    redirect: "manual",
    signal,
  }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw withAdvice(new Error(fetchFailure(error)), { again: true, waitMs: 0 });
  });
  const { status, headers } = response;
  const body = await bodyOf(response, signal);
  const words = shown(body, hidden);
  if (response.ok) return { answer: `${status}${words === "" ? "" : ` ${words}`}` };
  const isRedirect = status >= 300 && status < 400;
  const again = status >= 500 || TRY_AGAIN.includes(status);
  const what = isRedirect
    ? `${status}, a redirect, which is not followed`
    : `${status}${words === "" ? "" : `: ${words}`}`;
  throw withAdvice(new Error(`it answered ${what}`), {
    again,
    waitMs: retryAfterMs(headers, Date.now()) || retryAfterIn(body),
  });
}

/** The useful begin of the answer. */
async function bodyOf(response: Response, signal: AbortSignal): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of response.body ?? []) {
      parts.push(part);
      size += part.length;
      if (size >= MAX_ANSWER_BYTES) break;
    }
  } catch {
    // The text that the server sent before is enough, unless the time is up.
    signal.throwIfAborted();
  }
  return Buffer.concat(parts).subarray(0, MAX_ANSWER_BYTES).toString("utf8");
}

/** Telegram, Discord, ntfy and PagerDuty describe the fault in JSON. */
function shown(body: string, hidden: readonly string[]): string {
  const said = jsonOf(body);
  const words = ["description", "message", "error", "status"]
    .map((name) => said[name])
    .find((word) => typeof word === "string");
  const text = typeof words === "string" ? words : /^\s*</.test(body) ? "" : body;
  const open = hidden.filter((value) => value.length >= 4).reduce((all, value) => all.replaceAll(value, "…"), text);
  return oneLine(open.slice(0, 4 * MAX_ANSWER), MAX_ANSWER);
}

function jsonOf(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

/** Telegram gives the time in the body only. */
function retryAfterIn(body: string): number {
  const { parameters } = jsonOf(body);
  const seconds = typeof parameters === "object" && parameters !== null ? Object(parameters).retry_after : null;
  return typeof seconds === "number" && seconds > 0 && seconds < 86_400 ? seconds * 1000 : 0;
}

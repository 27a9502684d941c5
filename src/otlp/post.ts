/**
 * Owns one request to the receiver, and what its answer means. A sentence about a failure names the answer of the receiver, and never a
 * header or the address.
 */
import { fetchFailure } from "../base/fetch-failure.ts";
import { oneLine } from "../base/one-line.ts";
import { retryAfterMs } from "../base/retry-after.ts";
import { answerIn } from "./answer.ts";

const PATHS = { signals: "/v1/metrics", logs: "/v1/logs", runs: "/v1/traces" } as const;

export interface Receiver {
  readonly endpoint: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly version: string;
}

/**
 * `refused`: for good. `wait`: later it may be taken; `afterMs`: as the receiver said, or null; `status`: what it answered, or null. The words
 * of `why` may be others at each try.
 */
export type Outcome =
  | { readonly kind: "taken"; readonly refused: number; readonly why: string | null }
  | { readonly kind: "refused"; readonly status: number; readonly why: string }
  | { readonly kind: "too-large"; readonly status: number; readonly why: string }
  | {
      readonly kind: "wait";
      readonly state: "offline" | "blocked";
      readonly status: number | null;
      readonly why: string;
      readonly afterMs: number | null;
    };

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_WORDS = 200;
const LONGEST_WAIT_MS = 3_600_000;
/** A wrong key, a path where nobody is, or too much at once: the rows are not at fault, and wait. */
const LATER: readonly number[] = [401, 403, 404, 405, 407, 408, 425, 429];
const TOO_LARGE = 413;

export async function post(kind: keyof typeof PATHS, body: Uint8Array, receiver: Receiver): Promise<Outcome> {
  const path = PATHS[kind];
  try {
    const response = await fetch(`${receiver.endpoint}${path}`, {
      method: "POST",
      headers: {
        "user-agent": `nerve/${receiver.version}`,
        ...Object.fromEntries(receiver.headers.map(({ name, value }) => [name, value])),
        "content-type": "application/x-protobuf",
        "content-encoding": "gzip",
      },
      body: Bun.gzipSync(body as Uint8Array<ArrayBuffer>),
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return outcomeOf(response, await bodyOf(response), path, receiver);
  } catch (error) {
    const failure = fetchFailure(error);
    const why = failure === "TimeoutError" ? "no answer within 10 s" : failure;
    return { kind: "wait", state: "offline", status: null, why, afterMs: null };
  }
}

/** Null: longer than any answer of a receiver. */
async function bodyOf(response: Response): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    size += part.length;
    if (size > MAX_ANSWER_BYTES) return null;
  }
  return Buffer.concat(parts);
}

function outcomeOf(response: Response, body: Uint8Array | null, path: string, receiver: Receiver): Outcome {
  const { status, headers } = response;
  const isJson = (headers.get("content-type") ?? "").includes("json");
  const saidMs = retryAfterMs(headers, Date.now());
  const afterMs = saidMs === null ? null : Math.min(LONGEST_WAIT_MS, saidMs);
  const wait = (why: string): Outcome => ({ kind: "wait", state: "blocked", status, why, afterMs });
  if (response.ok) {
    const taken = body === null ? null : answerIn(body, isJson);
    if (taken === null) return wait(`what answers ${status} on ${path} is no receiver of OTLP`);
    const { refused, message } = taken;
    const said = message === "" ? null : wordsOf(message, receiver);
    const why = refused === 0 ? said : `it refused ${refused}${said === null ? "" : `: ${said}`}`;
    return { kind: "taken", refused, why };
  }
  const words = textOf(body, receiver);
  const why = `it answered ${status} on ${path}${words === "" ? "" : `: ${words}`}`;
  if (status === TOO_LARGE) return { kind: "too-large", status, why };
  const isFinal = status >= 400 && status < 500 && !LATER.includes(status);
  return isFinal ? { kind: "refused", status, why } : wait(why);
}

/** What a person can read of it: a `google.rpc.Status` is a message with a text in field 2, and other bytes around. */
function textOf(body: Uint8Array | null, receiver: Receiver): string {
  const text = Buffer.from(body ?? []).toString("utf8");
  return /^\s*</.test(text) ? "" : wordsOf(text.replaceAll("�", ""), receiver);
}

/** A receiver may quote the key that it refuses. */
function wordsOf(text: string, { headers }: Receiver): string {
  const secrets = headers.flatMap(({ value }) => [value, ...value.split(/\s+/)]).filter((value) => value.length >= 4);
  const open = secrets
    .sort((one, other) => other.length - one.length)
    .reduce((all, value) => all.replaceAll(value, "…"), text);
  return oneLine(open.slice(0, 4 * MAX_WORDS), MAX_WORDS);
}

/** Owns what a ping says, by its path as Healthchecks has it (https://healthchecks.io/docs/http_api/), or by the end of a command. Pure. */
import { exceedsBytes } from "../base/json.ts";
import { type Given, MAX_KEY_BYTES } from "./given.ts";

export type PingType = "start" | "success" | "fail" | "log";

export interface Ping {
  readonly type: PingType;
  readonly exitCode: number | null;
}

/** What is kept of the output that comes with a ping: its end. */
export const MAX_OUTPUT_BYTES = 10 * 1024;

const MAX_EXIT_CODE = 255;

/**
 * `after`: the path after the token, `""`, `/start`, `/fail`, `/log` or `/N`. Null where that says nothing. The name of the sense may
 * stand before all of these, as a slug stands behind a ping key.
 */
export function pingOf(after: string, sense: string): Ping | null {
  const slug = `/${encodeURIComponent(sense)}`;
  return pingAt(after) ?? (`${after}/`.startsWith(`${slug}/`) ? pingAt(after.slice(slug.length)) : null);
}

function pingAt(written: string): Ping | null {
  const after = written.replace(/\/$/, "");
  switch (after) {
    case "":
      return { type: "success", exitCode: null };
    case "/start":
    case "/fail":
    case "/log":
      return { type: after.slice(1) as PingType, exitCode: null };
    default: {
      if (!/^\/\d{1,3}$/.test(after)) return null;
      const exitCode = Number(after.slice(1));
      return exitCode > MAX_EXIT_CODE ? null : { type: exitCode === 0 ? "success" : "fail", exitCode };
    }
  }
}

/** A character has at most this many bytes after its first. */
const MAX_FOLLOWING = 3;
const isFollowing = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

/** The end of `bytes` as text, at most `MAX_OUTPUT_BYTES`, begun at a whole character. */
export function outputOf(bytes: Uint8Array): string {
  const cut = Math.max(0, bytes.length - MAX_OUTPUT_BYTES);
  let from = cut;
  while (cut > 0 && from < cut + MAX_FOLLOWING && isFollowing(bytes[from])) from++;
  return new TextDecoder().decode(bytes.subarray(from));
}

/** The body of an item that a ping, or a wrapped command, brings. */
export interface PingBody {
  readonly exit_code: number | null;
  readonly duration_ms: number | null;
  /** Null: none was sent. */
  readonly output: string | null;
}

/** What a ping calls the run of the job that it is about, or null. */
export function runOf(query: URLSearchParams): string | null {
  const run = query.get("rid") ?? "";
  return run === "" || exceedsBytes(run, MAX_KEY_BYTES) ? null : run;
}

/** `sameAs`: what makes a second ping of this type the same as the first. Without it each ping is an item of its own. */
export const givenByPing = (type: PingType, body: PingBody, run: string | null, sameAs: string | null): Given => ({
  bodies: [JSON.stringify(body)],
  key: run,
  identity: sameAs === null ? null : `${type} ${sameAs}`,
  type,
  trace: null,
});

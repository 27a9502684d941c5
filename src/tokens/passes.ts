/**
 * Owns what is derived from the token of the page: the code of `nerve open`, which is good once and for a minute, and the
 * cookie, which is good for 12 hours. Both are signed with the token, so a renewed token ends them.
 */
import { randomBytes } from "../base/chance.ts";
import { hmacSha256 } from "../base/digest.ts";

/** A code is good for this long. */
export const CODE_MS = 60_000;
/** A cookie is good for this long. */
export const COOKIE_MS = 12 * 3_600_000;
/** Two clocks of one host never differ, but a clock may be set a little between two looks. */
const AHEAD_MS = 5_000;

type Kind = "code" | "cookie";

const digest = (text: string): Uint8Array => new Bun.CryptoHasher("sha256").update(text).digest();

/** Takes the same time wherever two texts differ. */
export const isSame = (given: string, wanted: string): boolean => crypto.timingSafeEqual(digest(given), digest(wanted));

const signed = (token: string, kind: Kind, at: number, nonce: string): string =>
  hmacSha256(token, `${kind}\0${at}\0${nonce}`);

function make(token: string, kind: Kind, now: number): string {
  const nonce = randomBytes(12).toString("base64url");
  return `${now.toString(36)}.${nonce}.${signed(token, kind, now, nonce)}`;
}

const PASS = /^([0-9a-z]{1,10})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{43})$/;

/** When a pass of this kind was made; null where it is none of this token. */
function madeAt(token: string, kind: Kind, given: string): number | null {
  const [, at = "", nonce = "", signature = ""] = PASS.exec(given) ?? [];
  const made = Number.parseInt(at, 36);
  return signature !== "" && isSame(signature, signed(token, kind, made, nonce)) ? made : null;
}

export const newCode = (token: string, now: number): string => make(token, "code", now);
export const newCookie = (token: string, now: number): string => make(token, "cookie", now);

/** Until when a cookie is good; null where it is not. */
export function cookieUntil(token: string, given: string, now: number): number | null {
  const made = madeAt(token, "cookie", given);
  return made === null || made > now + AHEAD_MS || now >= made + COOKIE_MS ? null : made + COOKIE_MS;
}

/** The token in the ping URL of a sense. Who has it can ping, and learns nothing of the token that it was made of. */
export const pingToken = (token: string, sense: string): string => hmacSha256(token, `ping\0${sense}`);

/** Codes that were used. A code is good once, and only for a process that has lived since it was made. */
export class UsedCodes {
  readonly #since: number;
  /** Each until it would have run out. */
  readonly #used = new Map<string, number>();

  constructor(since: number) {
    this.#since = since;
  }

  /** Whether the code is good. It is good no more from then on. */
  use(token: string, given: string, now: number): boolean {
    const made = madeAt(token, "code", given);
    if (made === null || made > now + AHEAD_MS || now >= made + CODE_MS || made < this.#since) return false;
    for (const [code, until] of this.#used) if (until <= now) this.#used.delete(code);
    if (this.#used.has(given)) return false;
    this.#used.set(given, made + CODE_MS + AHEAD_MS);
    return true;
  }
}

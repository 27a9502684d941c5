/**
 * Owns who may look: a token as `Authorization: Bearer`, or the cookie that a browser got for a code of `nerve open`. Wrong ones are
 * answered ten times a second at most, all together; a right one never waits.
 */
import { bearerOf } from "../http/bearer.ts";
import { SlowAnswers } from "../http/slow-answers.ts";
import { COOKIE_MS, cookieUntil, isSame, newCookie, UsedCodes } from "../tokens/passes.ts";
import { TokenWatch } from "../tokens/token-files.ts";

/** What a request may open: everything, or `/metrics` alone. */
export type Reach = "page" | "metrics";

export type Standing =
  /** `until`: when the cookie ends; null for a token. */
  | { readonly kind: "open"; readonly until: number | null }
  /** It came with nothing. */
  | { readonly kind: "nothing" }
  /** It came with something that opens nothing here. */
  | { readonly kind: "wrong" };

export class SignIn {
  readonly #cookie: string;
  readonly #page: TokenWatch;
  readonly #metrics: TokenWatch;
  readonly #codes = new UsedCodes(Date.now());
  readonly #slow = new SlowAnswers();

  constructor(data: string, instance: string) {
    this.#cookie = `nerve-${instance}`;
    this.#page = new TokenWatch(data, "page");
    this.#metrics = new TokenWatch(data, "metrics");
  }

  standing(request: Request, reach: Reach): Standing {
    const page = this.#page.present;
    const bearer = bearerOf(request);
    if (bearer !== null) {
      const metrics = reach === "metrics" ? this.#metrics.present : null;
      const isRight = [page, metrics].map((token) => token !== null && isSame(bearer, token)).includes(true);
      return isRight ? { kind: "open", until: null } : { kind: "wrong" };
    }
    const cookie = this.#cookieOf(request);
    if (cookie === null) return { kind: "nothing" };
    const until = page === null ? null : cookieUntil(page, cookie, Date.now());
    return until === null ? { kind: "wrong" } : { kind: "open", until };
  }

  #cookieOf(request: Request): string | null {
    for (const part of (request.headers.get("cookie") ?? "").split(";")) {
      const [name, ...value] = part.trim().split("=");
      if (name === this.#cookie) return value.join("=");
    }
    return null;
  }

  /** The header that gives a browser its cookie, for the code it came with; null where the code opens nothing. */
  exchange(request: Request): string | null {
    const page = this.#page.present;
    const code = bearerOf(request);
    const now = Date.now();
    if (page === null || code === null || !this.#codes.use(page, code, now)) return null;
    const seconds = COOKIE_MS / 1_000;
    return `${this.#cookie}=${newCookie(page, now)}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict`;
  }

  /** Resolves when a wrong one may be answered. */
  wait(signal: AbortSignal): Promise<void> {
    return this.#slow.wait(signal);
  }

  close(): void {
    this.#slow.close();
  }
}

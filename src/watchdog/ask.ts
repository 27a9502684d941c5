/** One GET of the watchdog's address. The answer is in words, and the address is in none of them. */
import { fetchFailure } from "../base/fetch-failure.ts";

/** Null: the server answered with a status from 200 to 299. */
export async function ask(url: string, limitMs: number): Promise<string | null> {
  const limit = AbortSignal.timeout(limitMs);
  try {
    const response = await fetch(url, {
      headers: { "user-agent": "nerve" },
      redirect: "manual",
      keepalive: false,
      signal: limit,
    });
    // Nobody reads what the server says.
    await response.body?.cancel().catch(() => {});
    if (response.ok) return null;
    const { status } = response;
    return status >= 300 && status < 400
      ? `it answered ${status}, a redirect, which is not followed`
      : `it answered ${status}`;
  } catch (error) {
    return limit.aborted ? `no answer within ${limitMs / 1_000} s` : fetchFailure(error);
  }
}

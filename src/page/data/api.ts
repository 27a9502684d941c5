/** Asks the web process: one GET for each answer. A refusal is a value. */
import { signal } from "@preact/signals";
import type { RefusalAnswer, SessionAnswer } from "../../web/contract.ts";
import { heardClock } from "../state/clock.ts";

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string; readonly hint: string | null };

/** Whether this browser may look: `asking` until the first answer. */
export const access = signal<"asking" | "granted" | "refused">("asking");
/** Since when no request has been answered at all, on the host's clock; null: the last request was answered. */
export const unreachableSince = signal<number | null>(null);
export const session = signal<SessionAnswer | null>(null);

export type Query = Readonly<Record<string, string | number | readonly string[] | null>>;

export function apiPath(path: string, query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === "") continue;
    if (typeof value === "object") for (const one of value) search.append(name, one);
    else search.set(name, String(value));
  }
  const text = search.toString();
  return `/api/v1/${path}${text === "" ? "" : `?${text}`}`;
}

const refusal = (message: string, hint: string | null): { ok: false; message: string; hint: string | null } => ({
  ok: false,
  message,
  hint,
});

async function refusalOf(response: Response): Promise<Answer<never>> {
  try {
    const { error } = (await response.json()) as RefusalAnswer;
    return refusal(error.message, error.hint);
  } catch {
    return refusal(`nerve answered ${response.status}`, null);
  }
}

/** Null: the request was given up, because its answer is no longer wanted. */
export async function get<T>(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal | null) {
  try {
    const response = await fetch(path, { headers, signal, credentials: "same-origin", cache: "no-store" });
    unreachableSince.value = null;
    if (response.status === 401) access.value = "refused";
    if (!response.ok) return await refusalOf(response);
    return { ok: true, value: (await response.json()) as T } as const;
  } catch (error) {
    if (signal?.aborted === true) return null;
    unreachableSince.value ??= Date.now();
    return refusal(`nerve does not answer (${error instanceof Error ? error.message : String(error)})`, null);
  }
}

/** The code of `nerve open`, which stands behind the `#`; the URL forgets it at once. */
function takeCode(): string | null {
  const code = /^#open=([^&]+)$/.exec(location.hash)?.[1] ?? null;
  if (code !== null) history.replaceState(null, "", "#/now");
  return code;
}

/** The code is good once: what it opened is in the cookie, and a code that opened nothing shows in the next answer. */
async function exchange(code: string): Promise<void> {
  try {
    await fetch("/session", {
      headers: { authorization: `Bearer ${code}` },
      credentials: "same-origin",
      cache: "no-store",
    });
  } catch {
    // Nobody answers: the next request says so.
  }
}

/** Exchanges the code of `nerve open` for a cookie, or finds the cookie still good. */
export async function openSession(): Promise<void> {
  const code = takeCode();
  if (code !== null) await exchange(code);
  const exchanged = await get<SessionAnswer>(apiPath("session", {}), {}, null);
  if (exchanged === null || !exchanged.ok) return;
  heardClock(exchanged.value.at);
  session.value = exchanged.value;
  access.value = "granted";
}

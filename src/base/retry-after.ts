/** The header `Retry-After` of an answer: seconds, or a date. Source: RFC 9110, section 10.2.3. */

/** Milliseconds from `nowMs` on; null: there is none, or nothing that can be read. */
export function retryAfterMs(headers: Headers, nowMs: number): number | null {
  const header = headers.get("retry-after");
  if (header === null) return null;
  const ms = /^\d{1,9}(\.\d+)?$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

/** Whether a page answers as it should: its status, its body, how long it takes, and for how long its certificate is valid. */
import { desc, notBetween } from "drizzle-orm";
import type { Compute, Series } from "nerve";
import { daysUntil, handshake, type Presented, readAuthorities } from "nerve/certificates";
import { CHECK_PAYLOAD, inARow, msSince, within } from "nerve/checks";
import { patternOf } from "nerve/pattern";
import { declaration } from "nerve/payload";
import { type HttpOptions, isExpected, options } from "./options.ts";
import { type Answer, ask } from "./request.ts";
import { samples } from "./schema.ts";

export { options };

export const payload = declaration({
  url: "string",
  ...CHECK_PAYLOAD,
  status: "100 <= number.integer <= 999 | null",
  ms: "number >= 0",
  bytes: "number.integer >= 0",
  redirects: "number.integer >= 0",
  cert_days: "number | null",
});

export const series: Series = {
  table: "samples",
  at: "at",
  by: "url",
  numbers: { ms: "ms", cert_days: "days", failures: null },
};

export const compute: Compute<HttpOptions> = async (db, _peers, { options: given, signal, now }) => {
  const authorities = given.ca === null ? null : await readAuthorities(given.ca);
  const start = performance.now();
  const answer = await within(given.timeout, signal, (limit) => ask({ ...given, authorities }, limit));
  const ms = msSince(start);
  const certificate = await certificateOf(answer?.url ?? given.url, given.timeout, authorities, signal);
  const reason = answer === null ? lateness(given.timeout) : judge(answer, given, certificate);

  const last = db.select().from(samples).orderBy(desc(samples.id)).limit(1).get();
  const found = {
    url: given.url,
    ok: reason === null,
    reason,
    status: answer?.status ?? null,
    ms,
    cert_days: certificate === null ? null : daysUntil(certificate.certificate.not_after, Date.now()),
    ...inARow(last?.url === given.url ? last : undefined, reason === null),
  };
  const { id } = db
    .insert(samples)
    .values({ at: now, ...found })
    .returning({ id: samples.id })
    .get();
  const outdated = notBetween(samples.at, now - given.keep, now + given.keep);
  if (id % 100 === 0) db.delete(samples).where(outdated).run();

  return { ...found, bytes: answer?.bytes ?? 0, redirects: answer?.redirects ?? 0 };
};

const lateness = (limitMs: number): string => `there was no whole answer within ${limitMs / 1000} s`;

/** What the server presents; null where that cannot be seen, and where there is no TLS. */
async function certificateOf(
  url: string,
  limitMs: number,
  authorities: string | null,
  signal: AbortSignal,
): Promise<Presented | null> {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== "https:") return null;
  const host = hostname.replace(/^\[|\]$/g, "");
  const server = { host, port: Number(port || 443), name: host, authorities };
  return await within(limitMs, signal, (limit) => handshake(server, limit)).catch(() => {
    signal.throwIfAborted();
    return null;
  });
}

/** Why the answer is not well, or null. */
function judge(
  answer: Answer,
  { status, body_match, verify }: HttpOptions,
  certificate: Presented | null,
): string | null {
  if (answer.fault !== null) {
    const problems = verify && answer.status === null ? (certificate?.problems ?? []) : [];
    return problems.length === 0 ? answer.fault : problems.join("; ");
  }
  if (answer.status === null || !isExpected(answer.status, status)) {
    return `the status is ${answer.status}, and not ${status.join(", ")}`;
  }
  if (body_match === null || patternOf(body_match).test(answer.body)) return null;
  return answer.encoding === null || answer.encoding === "identity"
    ? "the body does not match `body_match`"
    : `the body is packed (${answer.encoding}), though nerve asks for plain text: \`body_match\` cannot look into it`;
}

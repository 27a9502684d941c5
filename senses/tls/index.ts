/** For how many days a certificate is valid, of a server or in a file, and whether a browser would trust it. */
import { desc, notBetween } from "drizzle-orm";
import type { Compute, Series } from "nerve";
import { daysUntil, handshake, readAuthorities } from "nerve/certificates";
import { CHECK_PAYLOAD, inARow, networkReason, patience, within } from "nerve/checks";
import { duration, type Infer, orNull, port, record, text } from "nerve/options";
import { declaration } from "nerve/payload";
import { lookIntoFile } from "./file.ts";
import { samples } from "./schema.ts";
import type { Seen } from "./seen.ts";

export const options = record(
  {
    host: orNull(text()),
    port: port(443),
    // PEM, the certificate first, and behind it those that it was signed by.
    file: orNull(text()),
    // The name that the certificate has to be for.
    server_name: orNull(text()),
    ca: orNull(text()),
    timeout: patience,
    keep: duration("90d", { min: "1m", max: "3650d" }),
  },
  ({ host, file, ca }) => {
    if (host === null && file === null) return { key: "host", problem: "is required, or else `file`" };
    if (host !== null && file !== null) return { key: "file", problem: "does not go with `host`: use two senses" };
    return file !== null && ca !== null ? { key: "ca", problem: "is for a `host`: a file is judged by itself" } : null;
  },
);

export const payload = declaration({
  target: "string",
  ...CHECK_PAYLOAD,
  days: "number | null",
  not_after: "number.integer | null",
  subject: "string | null",
  issuer: "string | null",
  names: "string[]",
  chain: "number.integer >= 1 | null",
  protocol: "string | null",
});

export const series: Series = {
  table: "samples",
  at: "at",
  by: "target",
  numbers: { days: "days", failures: null },
};

export const compute: Compute<Infer<typeof options>> = async (db, _peers, { options: given, signal, now }) => {
  const { certificate, chain, protocol, problems } = await look(given, signal);
  const reason = problems.length === 0 ? null : problems.join("; ");
  const target = given.file ?? `${given.host}:${given.port}`;
  const last = db.select().from(samples).orderBy(desc(samples.id)).limit(1).get();
  const found = {
    target,
    ok: reason === null,
    reason,
    ...inARow(last?.target === target ? last : undefined, reason === null),
    days: certificate === null ? null : daysUntil(certificate.not_after, Date.now()),
  };
  const { id } = db
    .insert(samples)
    .values({ at: now, ...found })
    .returning({ id: samples.id })
    .get();
  const outdated = notBetween(samples.at, now - given.keep, now + given.keep);
  if (id % 100 === 0) db.delete(samples).where(outdated).run();

  return {
    ...found,
    not_after: certificate?.not_after ?? null,
    subject: certificate?.subject ?? null,
    issuer: certificate?.issuer ?? null,
    names: certificate?.names ?? [],
    chain,
    protocol,
  };
};

async function look({ host, port, file, server_name, ca, timeout }: Infer<typeof options>, signal: AbortSignal) {
  if (file !== null) return await lookIntoFile(file, server_name, Date.now());
  const server = {
    host: host ?? "",
    port,
    name: server_name ?? host ?? "",
    authorities: ca === null ? null : await readAuthorities(ca),
  };
  try {
    const presented = await within(timeout, signal, (limit) => handshake(server, limit));
    return presented ?? nothing(`there was no handshake within ${timeout / 1000} s`);
  } catch (error) {
    signal.throwIfAborted();
    return nothing(networkReason(error));
  }
}

const nothing = (problem: string): Seen => ({ certificate: null, chain: null, protocol: null, problems: [problem] });

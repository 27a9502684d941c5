/** Signatures of Standard Webhooks, version 1: HMAC-SHA256 over id, time and body. */
import { createHmac } from "node:crypto";

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const MIN_BYTES = 24;
const MAX_BYTES = 64;

/** `whsec_` and 24 to 64 bytes as base64. */
export function isSecret(text: string): boolean {
  const bytes = Buffer.from(SECRET.exec(text)?.[1] ?? "", "base64").length;
  return bytes >= MIN_BYTES && bytes <= MAX_BYTES;
}

/** The headers of a delivery. Each secret signs, so that a receiver may know the old one or the new one while they change. */
export function signatureHeaders(
  secrets: readonly string[],
  { id, seconds, body }: { readonly id: string; readonly seconds: number; readonly body: string },
): Readonly<Record<string, string>> {
  if (secrets.length === 0) return {};
  const signed = secrets.map((secret) => {
    const key = Buffer.from(SECRET.exec(secret)?.[1] ?? "", "base64");
    return `v1,${createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64")}`;
  });
  return { "webhook-id": id, "webhook-timestamp": String(seconds), "webhook-signature": signed.join(" ") };
}

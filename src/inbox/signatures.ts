/**
 * Owns the signatures by which a sender without a token is known: Standard Webhooks (https://www.standardwebhooks.com, version 1)
 * and GitHub (`X-Hub-Signature-256`). Pure.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

/** A signature of Standard Webhooks is good for this long before and after its time. */
const TOLERANCE_MS = 5 * 60_000;

const isSame = (given: Buffer, wanted: Buffer): boolean =>
  given.length === wanted.length && timingSafeEqual(given, wanted);

/** The key of a secret as Standard Webhooks writes it; any other text is its own bytes. */
const keyOf = (secret: string): Buffer => {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  return encoded === undefined ? Buffer.from(secret, "utf8") : Buffer.from(encoded, "base64");
};

/** Whether the request carries a signature at all. */
export const isSigned = (headers: Headers): boolean =>
  headers.has("webhook-signature") || headers.has("x-hub-signature-256");

/** Whether a signature of the request is right. `body`: the bytes as they came. */
export function isSignedWith(secret: string, headers: Headers, body: Uint8Array, nowMs: number): boolean {
  return isStandard(secret, headers, body, nowMs) || isGitHub(secret, headers, body);
}

function isStandard(secret: string, headers: Headers, body: Uint8Array, nowMs: number): boolean {
  const [id, time, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) =>
    headers.get(name),
  );
  if (!id || !signatures || !/^\d{1,12}$/.test(time ?? "")) return false;
  if (Math.abs(nowMs - Number(time) * 1_000) > TOLERANCE_MS) return false;
  const wanted = createHmac("sha256", keyOf(secret)).update(`${id}.${time}.`).update(body).digest();
  return signatures
    .split(" ")
    .map((one) => one.startsWith("v1,") && isSame(Buffer.from(one.slice(3), "base64"), wanted))
    .includes(true);
}

function isGitHub(secret: string, headers: Headers, body: Uint8Array): boolean {
  const given = /^sha256=([0-9a-f]{64})$/.exec(headers.get("x-hub-signature-256") ?? "")?.[1];
  if (given === undefined) return false;
  return isSame(Buffer.from(given, "hex"), createHmac("sha256", secret).update(body).digest());
}

/**
 * `nerve/certificates`: what a TLS server presents, and what is wrong with it. The server is looked at whatever it presents: an
 * expired certificate is described like any other.
 */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { checkServerIdentity, connect, type PeerCertificate } from "node:tls";
import { round } from "./proc.ts";

export interface Certificate {
  /** The common name, or the whole name where there is none. */
  readonly subject: string;
  readonly issuer: string;
  /** The host names and addresses that the certificate is for. */
  readonly names: readonly string[];
  /** Unix milliseconds. */
  readonly not_before: number;
  readonly not_after: number;
}

export interface Presented {
  readonly certificate: Certificate;
  /** How many certificates the server sent that belong together, the authority that is trusted included. */
  readonly chain: number;
  readonly protocol: string;
  /** Each a sentence's part; empty where a browser would trust the server. */
  readonly problems: readonly string[];
}

export interface Server {
  readonly host: string;
  readonly port: number;
  /** The name that the server is asked for and judged by. */
  readonly name: string;
  /** PEM of the authorities to trust in place of those built in; null for those. */
  readonly authorities: string | null;
}

const MOST_NAMES = 100;
const LONGEST_CHAIN = 10;
const DAY_MS = 86_400_000;

export const daysUntil = (at: number, now: number): number => round((at - now) / DAY_MS);

const nameOf = (distinguished: string | undefined): string => {
  const lines = (distinguished ?? "").split("\n");
  return lines.find((line) => line.startsWith("CN="))?.slice("CN=".length) ?? lines.join(", ");
};

const SAN = /(?:^|, )(?:DNS|IP Address):("[^"]*"|[^,]*)/g;

export const certificateOf = (found: X509Certificate): Certificate => ({
  subject: nameOf(found.subject),
  issuer: nameOf(found.issuer),
  names: [...(found.subjectAltName ?? "").matchAll(SAN)].map(([, name = ""]) => name).slice(0, MOST_NAMES),
  not_before: Date.parse(found.validFrom),
  not_after: Date.parse(found.validTo),
});

/** The PEM text of a file of authorities. Throws where there is none. */
export async function readAuthorities(file: string): Promise<string> {
  const text = await readFile(file, "latin1").catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      `the file ${file} of \`ca\` cannot be read (${error.code}): name a PEM file that nerve's user may read`,
    );
  });
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new Error(`the file ${file} of \`ca\` holds no certificate (-----BEGIN CERTIFICATE-----)`);
}

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** What the dates of a certificate say at `now`, or null. */
export function dateProblem({ not_before, not_after }: Certificate, now: number): string | null {
  if (now > not_after) return `the certificate expired on ${dayOf(not_after)}`;
  return now < not_before ? `the certificate is valid only from ${dayOf(not_before)}` : null;
}

/** Of dates and names, which are looked at on their own. */
const ELSEWHERE = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "HOSTNAME_MISMATCH",
]);

function trustProblem(code: string, { issuer }: Certificate): string | null {
  switch (code) {
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return "the certificate is signed by itself";
    case "SELF_SIGNED_CERT_IN_CHAIN":
      return "the chain ends at an authority that is not trusted";
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return `the chain is short: the server does not send the certificate of "${issuer}", and that is no authority that is trusted`;
    default:
      return ELSEWHERE.has(code) ? null : `the certificate is not trusted (${code})`;
  }
}

/** Shakes hands, looks and hangs up. Throws where there is no handshake, and where `signal` fires. */
export function handshake({ host, port, name, authorities }: Server, signal: AbortSignal): Promise<Presented> {
  const { promise, resolve, reject } = Promise.withResolvers<Presented>();
  const socket = connect({
    host,
    port,
    // What is wrong is said, and not only that something is.
    rejectUnauthorized: false,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(authorities === null ? {} : { ca: authorities }),
  });
  const stop = (): void => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  socket.once("secureConnect", () => {
    try {
      resolve(presented());
    } catch (error) {
      reject(error);
    }
  });
  socket.on("error", reject);
  socket.once("close", () => reject(Object.assign(new Error("closed"), { code: "ECONNRESET" })));

  const presented = (): Presented => {
    const peer = socket.getPeerCertificate(true);
    const certificate = certificateOf(new X509Certificate(peer.raw));
    const trust = socket.authorizationError as unknown as string | Error | null;
    const code = trust === null || typeof trust === "string" ? trust : (trust as NodeJS.ErrnoException).code;
    const problems = [
      code ? trustProblem(code, certificate) : null,
      checkServerIdentity(name, peer) === undefined ? null : `the certificate is not for ${name}`,
      dateProblem(certificate, Date.now()),
    ].filter((problem) => problem !== null);
    return { certificate, chain: chainLength(peer), protocol: socket.getProtocol() ?? "", problems };
  };

  return promise.finally(() => {
    signal.removeEventListener("abort", stop);
    socket.destroy();
  });
}

function chainLength(leaf: PeerCertificate): number {
  let length = 1;
  for (let current: PeerCertificate = leaf; length < LONGEST_CHAIN; length++) {
    // The last certificate of a chain is its own issuer, or has none.
    const issuer = (current as { readonly issuerCertificate?: PeerCertificate }).issuerCertificate;
    if (issuer === undefined || issuer.fingerprint256 === current.fingerprint256) break;
    current = issuer;
  }
  return length;
}

/** The certificate in a file, and what is wrong with it and with those that follow it. */
import { X509Certificate } from "node:crypto";
import { open } from "node:fs/promises";
import { isIP } from "node:net";
import { certificateOf, dateProblem } from "nerve/certificates";
import type { Seen } from "./seen.ts";

/** A bundle of all public authorities has a quarter of this. */
const MOST_BYTES = 1024 * 1024;
const PEM = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

export async function lookIntoFile(file: string, name: string | null, now: number): Promise<Seen> {
  const certificates = certificatesIn(await read(file));
  if (typeof certificates === "string")
    return { certificate: null, chain: null, protocol: null, problems: [certificates] };
  const [leaf] = certificates;
  const certificate = certificateOf(leaf);
  const date = dateProblem(certificate, now);
  const isNamed = name === null || (isIP(name) === 0 ? leaf.checkHost(name) : leaf.checkIP(name)) !== undefined;
  const broken = certificates.findIndex((one, index) => {
    const issuer = certificates[index + 1];
    return issuer !== undefined && !one.verify(issuer.publicKey);
  });
  const problems = [
    date,
    isNamed ? null : `the certificate is not for ${name}`,
    broken < 0 ? null : `certificate ${broken + 1} of the file is not signed by the one behind it`,
  ].filter((problem) => problem !== null);
  return { certificate, chain: certificates.length, protocol: null, problems };
}

/** Throws where the file cannot be read: that is no answer about a certificate. */
async function read(file: string): Promise<string> {
  const handle = await open(file, "r").catch((error: NodeJS.ErrnoException) => {
    throw new Error(`the file ${file} cannot be read (${error.code}): name a PEM file that nerve's user may read`);
  });
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES, 0);
    return buffer.toString("latin1", 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** In the order of the file; or why there are none. */
function certificatesIn(pem: string): readonly [X509Certificate, ...X509Certificate[]] | string {
  const blocks = pem.match(PEM) ?? [];
  try {
    const [first, ...rest] = blocks.map((block) => new X509Certificate(block));
    return first === undefined ? "the file holds no certificate (-----BEGIN CERTIFICATE-----)" : [first, ...rest];
  } catch {
    return "a certificate in the file is damaged";
  }
}

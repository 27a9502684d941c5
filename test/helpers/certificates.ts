/** Certificates for tests, made when they are needed: no file of a test expires. X.509 in DER, keys on P-256. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export interface Holder {
  readonly name: string;
  readonly key: KeyObject;
  /** PEM. */
  readonly certificate: string;
  readonly privateKey: string;
}

interface Wish {
  readonly name: string;
  /** Host names and IPv4 addresses. */
  readonly names: readonly string[];
  readonly from: Date;
  readonly to: Date;
  /** Null: signed by itself. */
  readonly issuer: Holder | null;
  readonly isAuthority: boolean;
}

const tlv = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
};
const sequence = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts);
const oid = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, "hex"));
const integer = (bytes: Uint8Array): Buffer => tlv(0x02, bytes);
const nameOf = (name: string): Buffer => sequence(tlv(0x31, sequence(oid("550403"), tlv(0x0c, Buffer.from(name)))));
const timeOf = (date: Date): Buffer => tlv(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]|\.\d+/g, "")}`));
const ECDSA_SHA256 = sequence(oid("2a8648ce3d040302"));

const alternative = (name: string): Buffer =>
  /^\d+(\.\d+){3}$/.test(name) ? tlv(0x87, Buffer.from(name.split(".").map(Number))) : tlv(0x82, Buffer.from(name));

const extension = (id: string, isCritical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(isCritical ? [tlv(0x01, Buffer.from([0xff]))] : []), tlv(0x04, value));

const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${(der.toString("base64").match(/.{1,64}/g) ?? []).join("\n")}\n-----END ${label}-----\n`;

export function certificate({ name, names, from, to, issuer, isAuthority }: Wish): Holder {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const extensions = sequence(
    extension("551d13", true, isAuthority ? sequence(tlv(0x01, Buffer.from([0xff]))) : sequence()),
    ...(names.length === 0 ? [] : [extension("551d11", false, sequence(...names.map(alternative)))]),
  );
  const signed = sequence(
    tlv(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.from([1, ...randomBytes(8)])),
    ECDSA_SHA256,
    nameOf(issuer?.name ?? name),
    sequence(timeOf(from), timeOf(to)),
    nameOf(name),
    publicKey.export({ type: "spki", format: "der" }),
    tlv(0xa3, extensions),
  );
  const signature = sign("sha256", signed, issuer?.key ?? privateKey);
  const whole = sequence(signed, ECDSA_SHA256, tlv(0x03, Buffer.from([0]), signature));
  return {
    name,
    key: privateKey,
    certificate: pem("CERTIFICATE", whole),
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

const DAY_MS = 86_400_000;
export const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);

/** An authority, one below it, and a maker of certificates of servers that the lower one signs. */
export function authority() {
  const from = inDays(-100);
  const to = inDays(1000);
  const root = certificate({ name: "Test Root", names: [], from, to, issuer: null, isAuthority: true });
  const lower = certificate({ name: "Test Lower", names: [], from, to, issuer: root, isAuthority: true });
  const server = (names: readonly string[], days = 30): Holder =>
    certificate({
      name: names[0] ?? "",
      names,
      from: days < 0 ? inDays(days - 90) : inDays(-1),
      to: inDays(days),
      issuer: lower,
      isAuthority: false,
    });
  return { root, lower, server };
}

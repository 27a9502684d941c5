/** Owns what a host shows to a server: its key or its credentials, and its certificate. What cannot work is refused by the key of nerve.yaml that names it. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Authenticator, credsAuthenticator, nkeyAuthenticator } from "@nats-io/transport-node";
import { blocked, isTrouble, type Trouble } from "../engine/engine.ts";
import { publicKeyOf } from "./keys.ts";

/** Where to connect to, and as whom. Files are absolute paths; `nkey` is the seed itself. */
export interface Access {
  readonly host: string;
  readonly nkey: string | null;
  readonly creds: string | null;
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

/** What a server knows a host by. `name`: as troubles name it; null: the host shows nothing. */
export interface Identity {
  readonly name: string | null;
  readonly authenticator: Authenticator | null;
}

type FileKey = "creds" | "ca" | "cert" | "key";

const wrong = (key: FileKey, file: string, what: string): Trouble => blocked(`\`fleet.${key}\`: ${file} ${what}`);

function textOf(key: FileKey, file: string): string | Trouble {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    return wrong(key, file, `cannot be read (${(error as { code?: string }).code ?? String(error)})`);
  }
}

const NO_SEED =
  "`fleet.nkey` is no whole seed: a character of it is missing or is another one; copy it again, or make a pair with `nerve fleet key`";

/** Null where the library refuses it. */
function tried<Value>(make: () => Value): Value | null {
  try {
    return make();
  } catch {
    return null;
  }
}

export function identityOf({ nkey, creds, cert }: Access): Identity | Trouble {
  if (nkey !== null) {
    const publicKey = tried(() => publicKeyOf(nkey));
    if (publicKey === null) return blocked(NO_SEED);
    const authenticator = nkeyAuthenticator(new TextEncoder().encode(nkey.trim()));
    return { name: `the key ${publicKey}`, authenticator };
  }
  if (creds === null) return { name: cert === null ? null : `the certificate ${cert}`, authenticator: null };
  const text = textOf("creds", creds);
  if (typeof text !== "string") return text;
  const authenticator = credsAuthenticator(new TextEncoder().encode(text));
  if (tried(() => authenticator("")) === null)
    return wrong("creds", creds, "holds no credentials: a JWT and the seed that belongs to it");
  return { name: `the credentials ${creds}`, authenticator };
}

/** A certificate of a file, and what is wrong with it where it is none. */
function certificateIn(
  key: "ca" | "cert",
  file: string,
): { readonly text: string; readonly first: X509Certificate } | Trouble {
  const text = textOf(key, file);
  if (typeof text !== "string") return text;
  const first = tried(() => new X509Certificate(text));
  return first === null
    ? wrong(key, file, "holds no certificate in PEM (-----BEGIN CERTIFICATE-----)")
    : { text, first };
}

export function tlsOf({ ca, cert, key }: Access): Record<string, string> | Trouble {
  const tls: Record<string, string> = {};
  if (ca !== null) {
    const authorities = certificateIn("ca", ca);
    if (isTrouble(authorities)) return authorities;
    tls.ca = authorities.text;
  }
  if (cert === null || key === null) return tls;
  const own = certificateIn("cert", cert);
  if (isTrouble(own)) return own;
  const text = textOf("key", key);
  if (typeof text !== "string") return text;
  const privateKey = tried(() => createPrivateKey(text));
  if (privateKey === null)
    return wrong("key", key, "holds no private key in PEM that can be read without a passphrase");
  if (!own.first.checkPrivateKey(privateKey))
    return wrong("key", key, `is not the key of the certificate in \`fleet.cert\` (${cert})`);
  return { ...tls, cert: own.text, key: text };
}

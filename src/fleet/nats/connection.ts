/** One connection to one server. There is no reconnecting inside: whoever owns the connection begins anew, and hears why. */
import { readFileSync } from "node:fs";
import type { Authenticator, NatsConnection, NodeConnectionOptions } from "@nats-io/transport-node";
import { connect, credsAuthenticator, errors, nkeyAuthenticator } from "@nats-io/transport-node";
import { blocked, isTrouble, type Trouble } from "../engine/engine.ts";
import { connectTrouble } from "./words.ts";

/** Where to connect to, and as whom. Files are absolute paths; `nkey` is the seed itself. */
export interface Access {
  readonly host: string;
  readonly nkey: string | null;
  readonly creds: string | null;
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

const CONNECT_MS = 5_000;
const LATE_MS = 6_000;
/** A connection that is cut without a word is known to be gone after twice this time. */
const PING_MS = 10_000;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

export const isLoopback = (hostname: string): boolean => LOOPBACK.test(hostname);

/** What a file holds, or the key of nerve.yaml that names a file which cannot be read. */
function textOf(key: string, file: string): string | Trouble {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    return blocked(`\`fleet.${key}\`: ${file} cannot be read (${(error as { code?: string }).code ?? String(error)})`);
  }
}

function authenticatorOf({ nkey, creds }: Access): Authenticator | null | Trouble {
  if (nkey !== null) return nkeyAuthenticator(new TextEncoder().encode(nkey.trim()));
  if (creds === null) return null;
  const text = textOf("creds", creds);
  return typeof text === "string" ? credsAuthenticator(new TextEncoder().encode(text)) : text;
}

function tlsOf(access: Access): Record<string, string> | Trouble {
  const tls: Record<string, string> = {};
  for (const key of ["ca", "cert", "key"] as const) {
    const file = access[key];
    if (file === null) continue;
    const text = textOf(key, file);
    if (typeof text !== "string") return text;
    tls[key] = text;
  }
  return tls;
}

export async function connectTo(server: string, access: Access): Promise<NatsConnection | Trouble> {
  const { host } = access;
  const url = URL.parse(server);
  if (url === null) return blocked(`${server} in \`fleet.servers\` is no address`);
  const isTls = url.protocol === "tls:";
  if (!isTls && !isLoopback(url.hostname))
    return blocked(`${server} is not on this host: its address begins with tls://`);
  try {
    const authenticator = authenticatorOf(access);
    if (authenticator !== null && isTrouble(authenticator)) return authenticator;
    const tls = tlsOf(access);
    if (isTrouble(tls)) return tls;
    const options: NodeConnectionOptions = {
      servers: `${url.hostname}:${url.port === "" ? "4222" : url.port}`,
      name: `nerve ${host}`,
      inboxPrefix: `_INBOX_${host}`,
      timeout: CONNECT_MS,
      pingInterval: PING_MS,
      maxPingOut: 1,
      reconnect: false,
      ignoreClusterUpdates: true,
      ...(authenticator === null ? {} : { authenticator }),
      // An object asks for TLS, and a server without it is left.
      ...(isTls ? { tls } : {}),
    };
    return await inTime(connect(options));
  } catch (error) {
    return connectTrouble(error, { host, server, stream: "" }, isTls && access.cert === null);
  }
}

/** The client's own limit ends with the dialling: a handshake that a server leaves open would never settle. */
async function inTime(connecting: Promise<NatsConnection>): Promise<NatsConnection> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new errors.TimeoutError()), LATE_MS);
  });
  try {
    return await Promise.race([connecting, late]);
  } catch (error) {
    connecting.then(
      (connection) => connection.close(),
      () => {},
    );
    throw error;
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}

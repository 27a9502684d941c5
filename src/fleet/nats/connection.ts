/** One connection to one server. There is no reconnecting inside: whoever owns the connection begins anew, and hears why. */
import type { NatsConnection, NodeConnectionOptions } from "@nats-io/transport-node";
import { connect, errors } from "@nats-io/transport-node";
import { blocked, isTrouble, type Trouble } from "../engine/engine.ts";
import { type Access, identityOf, tlsOf } from "./access.ts";
import { readHeadersForClient } from "./headers.ts";
import { connectTrouble } from "./words.ts";

/** `identity`: what the server knows this host by. */
export interface Connection {
  readonly nats: NatsConnection;
  readonly identity: string | null;
}

const CONNECT_MS = 5_000;
const LATE_MS = 6_000;
/** A connection that is cut without a word is known to be gone after twice this time. */
const PING_MS = 10_000;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

export const isLoopback = (hostname: string): boolean => LOOPBACK.test(hostname);

export async function connectTo(server: string, access: Access): Promise<Connection | Trouble> {
  const { host } = access;
  const url = URL.parse(server);
  if (url === null) return blocked(`${server} in \`fleet.servers\` is no address`);
  const isTls = url.protocol === "tls:";
  if (!isTls && !isLoopback(url.hostname))
    return blocked(`${server} is not on this host: its address begins with tls://`);
  const shown = identityOf(access);
  if (isTrouble(shown)) return shown;
  const tls = isTls ? tlsOf(access) : null;
  if (tls !== null && isTrouble(tls)) return tls;
  const { name: identity, authenticator } = shown;
  readHeadersForClient();
  try {
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
      ...(tls === null ? {} : { tls }),
    };
    return { nats: await inTime(connect(options)), identity };
  } catch (error) {
    return connectTrouble(error, { host, server, stream: "", identity, domain: null }, isTls && access.cert === null);
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

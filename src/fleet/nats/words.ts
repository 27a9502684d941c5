/** What NATS refuses, in nerve's words: what is wrong, where, and what to do about it. */
import { errors } from "@nats-io/transport-node";
import { blocked, offline, type Trouble } from "../engine/engine.ts";

/** Who speaks with whom: what the words name. */
export interface Parties {
  readonly host: string;
  readonly server: string;
  readonly stream: string;
}

const INIT = "`nerve fleet init` makes the stream and prints what the server's configuration needs";

/** Of certificates, by the code that the runtime gives. */
const CERTIFICATE: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name: use a name of the certificate in `fleet.servers`",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet: compare the clocks",
};
const UNKNOWN_ISSUER =
  /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT)$/;

const codeOf = (error: unknown): string => {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
};

function* chainOf(error: unknown): Iterable<unknown> {
  let link: unknown = error;
  for (let depth = 0; link !== null && link !== undefined && depth < 5; depth++) {
    yield link;
    link = (link as { readonly cause?: unknown }).cause;
  }
}

const isOf = <Kind extends Error>(error: unknown, kind: new (...given: never[]) => Kind): boolean =>
  [...chainOf(error)].some((link) => link instanceof kind);

function certificateTrouble(error: unknown, server: string): Trouble | null {
  for (const link of chainOf(error)) {
    const code = codeOf(link);
    const known = CERTIFICATE[code];
    if (known !== undefined) return blocked(`${server} is not trusted: ${known}`);
    if (!UNKNOWN_ISSUER.test(code)) continue;
    return blocked(
      `${server} is not trusted: its certificate is not signed by a known authority; \`fleet.ca\` names the file of yours`,
    );
  }
  return null;
}

/** Why there is no connection. `lacksCertificate`: TLS is spoken, and this host has no certificate of its own. */
export function connectTrouble(error: unknown, { host, server }: Parties, lacksCertificate: boolean): Trouble {
  const untrusted = certificateTrouble(error, server);
  if (untrusted !== null) return untrusted;
  if (isOf(error, errors.UserAuthenticationExpiredError))
    return blocked(`${server} does not accept ${host}: its credentials have expired`);
  if (isOf(error, errors.AuthorizationError))
    return blocked(
      `${server} does not accept ${host}: no user of the server has this key; \`nerve fleet init\` prints the users of its configuration`,
    );
  const message = messageOf(error);
  if (/server does not support 'tls'/.test(message))
    return blocked(`${server} offers no TLS, and nerve sends nothing without: give the server a \`tls\` block`);
  if (message === "connection refused" || codeOf(error) === "ECONNREFUSED")
    return offline(`${server} refuses connections`);
  if (codeOf(error) === "ENOTFOUND") return offline(`the name in ${server} is not known`);
  const what = isOf(error, errors.TimeoutError)
    ? `${server} does not answer`
    : `no connection to ${server}: ${message}`;
  return offline(
    lacksCertificate
      ? `${what}; if it asks for certificates of clients, \`fleet.cert\` and \`fleet.key\` give one`
      : what,
  );
}

export const messageOf = (error: unknown): string =>
  error instanceof Error && error.message !== "" ? error.message : "the connection ended";

/** What an answer of JetStream says where it is a refusal. */
export interface Refusal {
  readonly code: number;
  readonly err_code: number;
  readonly description: string;
}

const NO_JETSTREAM_ACCOUNT = new Set([10039, 10076]);
const STREAM_NOT_FOUND = 10059;
/** Of a stream or of its account or server: bytes, messages, storage. */
const FULL = /maximum (bytes|messages)|resource limits exceeded|insufficient (storage|resources|memory)|no space left/i;

export function refusedBy({ err_code, description }: Refusal, { stream, server }: Parties): Trouble {
  if (err_code === STREAM_NOT_FOUND) return blocked(`${server} has no stream ${stream}: ${INIT}`);
  if (NO_JETSTREAM_ACCOUNT.has(err_code)) return blocked(noJetStream(server));
  if (FULL.test(description))
    return blocked(
      `the stream ${stream} is full (${description}): raise its limits, or wait until old frames leave it; nothing is dropped meanwhile`,
    );
  return blocked(`the stream ${stream} refuses: ${description}`);
}

const noJetStream = (server: string): string =>
  `JetStream is off at ${server}, or is behind a leaf node whose \`fleet.domain\` is missing: a \`jetstream\` block in the server's configuration turns it on`;

/** Why a request brought no answer. `subject`: what was asked. */
export function requestTrouble(error: unknown, subject: string, parties: Parties): Trouble {
  const { host, server, stream } = parties;
  if (isOf(error, errors.PermissionViolationError))
    return blocked(`${server} forbids ${host} to use ${subject}: ${INIT} of each host`);
  if (isOf(error, errors.NoRespondersError) || (error instanceof errors.RequestError && error.isNoResponders())) {
    if (subject.startsWith("$JS.")) return blocked(noJetStream(server));
    return blocked(`no stream takes in ${subject}: ${stream} is not there, or JetStream is off at ${server}; ${INIT}`);
  }
  if (isOf(error, errors.TimeoutError)) return offline(`${server} gave no answer to ${subject}`);
  return offline(`${server} gave no answer to ${subject}: ${messageOf(error)}`);
}

/** What NATS refuses, in nerve's words: what is wrong, where, and what to do about it. */
import { errors } from "@nats-io/transport-node";
import { blocked, offline, type Trouble } from "../engine/engine.ts";

/** Who speaks with whom: what the words name. */
export interface Parties {
  readonly host: string;
  readonly server: string;
  readonly stream: string;
  /** What the server knows the host by. Null: the host shows nothing. */
  readonly identity: string | null;
  /** Of the server that keeps the frames, where this host is behind a leaf node. */
  readonly domain: string | null;
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

const notTls = (server: string): Trouble =>
  blocked(
    `${server} speaks TLS, and its address in \`fleet.servers\` says otherwise: write ${server.replace("nats:", "tls:")}, for which \`ca\`, \`cert\` and \`key\` are used`,
  );

function certificateTrouble(error: unknown, server: string): Trouble | null {
  for (const link of chainOf(error)) {
    const code = codeOf(link);
    const known = CERTIFICATE[code];
    if ((known !== undefined || UNKNOWN_ISSUER.test(code)) && server.startsWith("nats:")) return notTls(server);
    if (known !== undefined) return blocked(`${server} is not trusted: ${known}`);
    if (!UNKNOWN_ISSUER.test(code)) continue;
    return blocked(
      `${server} is not trusted: its certificate is not signed by a known authority; \`fleet.ca\` names the file of yours`,
    );
  }
  return null;
}

const notAccepted = ({ host, server, identity }: Parties): string =>
  identity === null
    ? `${server} does not accept ${host}, which shows no key: nerve.yaml has neither \`fleet.nkey\` nor \`fleet.creds\`; \`nerve fleet key ${host}\` makes a key`
    : `${server} does not accept ${host}: no user of the server has ${identity}; \`nerve fleet init\` prints the users of its configuration`;

/** Why there is no connection. `lacksCertificate`: TLS is spoken, and this host has no certificate of its own. */
export function connectTrouble(error: unknown, parties: Parties, lacksCertificate: boolean): Trouble {
  const { host, server } = parties;
  const untrusted = certificateTrouble(error, server);
  if (untrusted !== null) return untrusted;
  if (isOf(error, errors.UserAuthenticationExpiredError))
    return blocked(`${server} does not accept ${host}: its credentials have expired`);
  if (isOf(error, errors.AuthorizationError)) return blocked(notAccepted(parties));
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

/** What the server gives to a host under `--hub` alone. */
const OF_HUBS = /\.(STREAM|CONSUMER)\.|\.ask\.status$/;

function forbidden(subject: string, { host, server, identity }: Parties): string {
  const hub = OF_HUBS.test(subject) ? ` --hub ${host}` : "";
  const own = identity === null ? "shows no key" : `comes with ${identity}`;
  return `${server} forbids ${host} to use ${subject}: ${host} ${own}; compare with the user of ${host} that \`nerve fleet init ${host}=U…${hub} --print\` prints`;
}

/** A leaf node answers for itself. */
const leafAlone = ({ server, stream, domain }: Parties): Trouble =>
  blocked(
    `${server} reaches no stream ${stream} in the domain ${domain}: the leaf node has lost the hub's server, or the domain is another one, or the stream is not there; what the log of the leaf node says of \`remotes\` decides`,
  );

export function unheardBy(subject: string, parties: Parties): Trouble {
  const { server, stream, domain } = parties;
  if (domain !== null) return leafAlone(parties);
  return blocked(
    `no stream takes in ${subject}: ${stream} is not there, or JetStream is off at ${server}; ${INIT}; where this host has just joined, the server wants a second reload`,
  );
}

/** Why a request brought no answer. `subject`: what was asked. */
export function requestTrouble(error: unknown, subject: string, parties: Parties): Trouble {
  const { server, stream, domain } = parties;
  if (isOf(error, errors.PermissionViolationError)) return blocked(forbidden(subject, parties));
  if (isOf(error, errors.NoRespondersError) || (error instanceof errors.RequestError && error.isNoResponders())) {
    if (domain !== null) return leafAlone(parties);
    if (subject.includes(".DIRECT.GET."))
      return blocked(
        `no stream answers ${subject} at ${server}: ${stream} is not there, or is behind a leaf node and \`fleet.domain\` is missing; ${INIT}`,
      );
    if (subject.startsWith("$JS.")) return blocked(noJetStream(server));
    return unheardBy(subject, parties);
  }
  if (isOf(error, errors.TimeoutError)) return offline(`${server} gave no answer to ${subject}`);
  return offline(`${server} gave no answer to ${subject}: ${messageOf(error)}`);
}

/** What each host may do on the server, and the server's configuration that says so. Pure. */
import { ALL_SUBJECTS, askSubject, subjectOf } from "./frames.ts";

/** A user of the server. `publicKey`: of its nkey. */
export interface FleetUser {
  readonly host: string;
  readonly publicKey: string;
  /** Reads what all hosts send, may ask them, and makes the stream. */
  readonly receives: boolean;
}

export interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

const ASK_ALL = "nerve.*.ask.status";

/** Its own frames and its own last frame; with `receives` those of all. Nobody may delete or purge. */
export function permissionsOf(
  { host, receives }: Pick<FleetUser, "host" | "receives">,
  stream: string,
  domain: string | null,
): Permissions {
  const api = domain === null ? "$JS.API" : `$JS.${domain}.API`;
  const own = [subjectOf(host), `${api}.DIRECT.GET.${stream}.${subjectOf(host)}`];
  const all = [
    ASK_ALL,
    `${api}.STREAM.INFO.${stream}`,
    `${api}.STREAM.CREATE.${stream}`,
    `${api}.CONSUMER.CREATE.${stream}.*.${ALL_SUBJECTS}`,
    `${api}.CONSUMER.MSG.NEXT.${stream}.*`,
    `${api}.CONSUMER.DELETE.${stream}.*`,
  ];
  return { publish: receives ? [...own, ...all] : own, subscribe: [`_INBOX_${host}.>`, askSubject(host)] };
}

const quoted = (subjects: readonly string[]): string => `[${subjects.map((subject) => `"${subject}"`).join(", ")}]`;

function userText(user: FleetUser, stream: string, domain: string | null): string {
  const { publish, subscribe } = permissionsOf(user, stream, domain);
  return `    # ${user.host}${user.receives ? ", which receives what all send" : ""}
    {
      nkey: ${user.publicKey}
      permissions: {
        publish: ${quoted(publish)}
        subscribe: ${quoted(subscribe)}
        allow_responses: { max: 1, expires: "10s" }
      }
    }`;
}

export interface ServerWish {
  readonly users: readonly FleetUser[];
  readonly stream: string;
  readonly domain: string | null;
  /** `host:port`. */
  readonly listen: string;
  readonly isTls: boolean;
}

/** A whole nats.conf. What a 2.9 server refuses stands in a comment. */
export function serverConfig({ users, stream, domain, listen, isTls }: ServerWish): string {
  const tls = `tls {
  cert_file: "/etc/nats/server.pem"
  key_file: "/etc/nats/server.key"
}
`;
  return `# Printed by \`nerve fleet init\`. The server is NATS 2.9 or newer; 2.10.23 and newer are best.
listen: "${listen}"
jetstream {
  store_dir: "/var/lib/nats"
  # An acknowledged frame is on disk. nats-server 2.9 does not know the setting: leave it out there.
  # sync_interval: always
${domain === null ? "" : `  domain: "${domain}"\n`}}
${isTls ? tls : "# Without TLS the server is for this machine alone.\n"}authorization {
  users: [
${users.map((user) => userText(user, stream, domain)).join("\n")}
  ]
}
`;
}

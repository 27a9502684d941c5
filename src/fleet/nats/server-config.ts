/**
 * The configuration of the servers, as `nerve fleet init` prints it. A server holds what a client publishes against its permissions, and
 * not the subject to which an answer goes; the answer stays in the client's account. So each host has an account of its own. Pure.
 */
import { askSubject } from "./frames.ts";
import { accountOf, type FleetUser, HUB_ACCOUNT, permissionsOf, servicesOf, siteAccount } from "./permissions.ts";

export interface ServerWish {
  readonly users: readonly FleetUser[];
  readonly stream: string;
  /** Of JetStream. Leaf nodes need one. */
  readonly domain: string | null;
  /** `host:port`. */
  readonly listen: string;
  /** `host:port` for leaf nodes. */
  readonly leafListen: string;
  readonly isTls: boolean;
}

const text = (value: string): string => `"${value}"`;
const listed = (values: readonly string[]): string => `[${values.map(text).join(", ")}]`;

const block = (name: string, items: readonly string[]): string =>
  items.length === 0 ? "" : `    ${name}: [\n${items.map((item) => `      ${item}\n`).join("")}    ]\n`;

function userText(user: FleetUser, stream: string, leafDomain: string | null): string {
  const { publish, subscribe } = permissionsOf(user, stream, leafDomain);
  return `# ${user.host}${user.receives ? ", which receives what all send" : ""}
      {
        nkey: ${user.publicKey}
        permissions: {
          publish: ${listed(publish)}
          subscribe: ${listed(subscribe)}
          allow_responses: { max: 1, expires: "10s" }
        }
      }`;
}

const service = (account: string, subject: string): string =>
  `{ service: { account: ${text(account)}, subject: ${text(subject)} } }`;

const exported = (subject: string, account: string): string =>
  `{ service: ${text(subject)}, accounts: ${listed([account])} }`;

function hubAccount({ users, stream }: ServerWish): string {
  const others = users.filter(({ receives }) => !receives);
  const exports = others.flatMap((user) =>
    servicesOf(user.host, stream).map((subject) => exported(subject, accountOf(user))),
  );
  const imports = others.map((user) => service(accountOf(user), askSubject(user.host)));
  const hubs = users.filter(({ receives }) => receives).map((user) => userText(user, stream, null));
  return `  # Has the stream. Whoever is in here may do with the stream what they like.
  ${text(HUB_ACCOUNT)}: {
    jetstream: enabled
${block("users", hubs)}${block("exports", exports)}${block("imports", imports)}  }
`;
}

/** An account that knows its own subjects alone. `atLeaf`: users that connect to a leaf node are no users here. */
function ownAccount(name: string, users: readonly FleetUser[], { stream }: ServerWish): string {
  const here = users.filter(({ site }) => site === null).map((user) => userText(user, stream, null));
  const imports = users.flatMap(({ host }) => servicesOf(host, stream).map((subject) => service(HUB_ACCOUNT, subject)));
  const exports = users.map(({ host }) => exported(askSubject(host), HUB_ACCOUNT));
  return `  ${text(name)}: {
${block("users", here)}${block("imports", imports)}${block("exports", exports)}  }
`;
}

function accountsOf(wish: ServerWish): string {
  const accounts = new Map<string, FleetUser[]>();
  for (const user of wish.users) {
    if (user.receives) continue;
    const name = accountOf(user);
    accounts.set(name, [...(accounts.get(name) ?? []), user]);
  }
  const own = [...accounts].map(([name, users]) => ownAccount(name, users, wish));
  return `accounts {\n${hubAccount(wish)}${own.join("")}}\n`;
}

const tls = (isTls: boolean, indent: string): string =>
  isTls
    ? `${indent}tls {
${indent}  cert_file: "/etc/nats/server.pem"
${indent}  key_file: "/etc/nats/server.key"
${indent}}
`
    : `${indent}# Without TLS the server is for this machine alone.\n`;

export const sitesOf = (users: readonly FleetUser[]): readonly string[] => [
  ...new Set(users.flatMap(({ site }) => (site === null ? [] : [site]))),
];

/** What a configuration calls the password of a site. */
const passwordOf = (site: string): string => `PASSWORD_${site.toUpperCase().replaceAll("-", "_")}`;

function leafNodes({ users, leafListen, isTls }: ServerWish): string {
  const sites = sitesOf(users).map((site) => {
    return `{ user: ${text(site)}, password: $${passwordOf(site)}, account: ${text(siteAccount(site))} }`;
  });
  return `leafnodes {
  listen: ${text(leafListen)}
${tls(isTls, "  ")}  authorization {
    users: [
${sites.map((site) => `      ${site}\n`).join("")}    ]
  }
}
`;
}

const FIRST = "# Printed by `nerve fleet init`.";

/** The server that has the stream. What a 2.9 server refuses stands in a comment. */
export function serverConfig(wish: ServerWish): string {
  const { users, domain, listen, isTls } = wish;
  const sites = sitesOf(users);
  const passwords =
    sites.length === 0
      ? ""
      : `# The passwords of the sites, in a file that only the server reads: a line \`${passwordOf(sites[0] ?? "")}: "…"\` for each.
include "sites.conf"
`;
  return `${FIRST} The server is NATS 2.9 or newer; 2.10.23 and newer are best.
${passwords}listen: ${text(listen)}
jetstream {
  store_dir: "/var/lib/nats"
  # An acknowledged frame is on disk. nats-server 2.9 does not know the setting: leave it out there.
  # sync_interval: always
${domain === null ? "" : `  domain: ${text(domain)}\n`}}
${tls(isTls, "")}${sites.length === 0 ? "" : leafNodes(wish)}${accountsOf(wish)}`;
}

/** The leaf node of a site: it passes on to the server that has the stream, and keeps nothing. */
export function leafConfig(wish: ServerWish & { readonly domain: string }, site: string): string {
  const { users, stream, domain, listen, leafListen, isTls } = wish;
  const here = users.filter((user) => user.site === site).map((user) => userText(user, stream, domain));
  const port = leafListen.split(":").at(-1) ?? "";
  const scheme = isTls ? "tls" : "nats-leaf";
  const trusted = isTls ? ', tls: { ca_file: "/etc/nats/ca.pem" }' : "";
  return `${FIRST} The leaf node of ${site}, for hosts with \`domain: ${domain}\`.
# The address of the server, in a file that only this one reads: a line \`HUB: "${scheme}://${site}:PASSWORD@NAME:${port}"\`.
include "hub.conf"
listen: ${text(listen)}
${tls(isTls, "")}leafnodes {
  remotes: [{ url: $HUB, account: ${text(siteAccount(site))}${trusted} }]
}
accounts {
  ${text(siteAccount(site))}: {
${block("users", here)}  }
}
`;
}

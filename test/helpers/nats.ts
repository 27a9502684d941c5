/** A real nats-server for tests: on loopback, with a folder of its own, killed and started again as a test likes. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { headers } from "@nats-io/transport-node";
import { connectTo } from "../../src/fleet/nats/connection.ts";
import { type KeyPair, newKeyPair } from "../../src/fleet/nats/keys.ts";
import { HUB_ACCOUNT } from "../../src/fleet/nats/permissions.ts";
import { Requests } from "../../src/fleet/nats/requests.ts";
import { leafConfig, type ServerWish, serverConfig } from "../../src/fleet/nats/server-config.ts";
import { makeStream } from "../../src/fleet/nats/stream.ts";
import { type Folder, temporaryFolder } from "./folder.ts";
import { sendSignal } from "./processes.ts";
import { until } from "./until.ts";
import { type Address, freeAddress } from "./web.ts";

const SERVER = Bun.which("nats-server") ?? "/usr/sbin/nats-server";

/** Without the server the tests are skipped, and say so. */
export const HAS_NATS = existsSync(SERVER);
if (!HAS_NATS)
  console.warn("skipped: tests of hosts that are joined, since there is no nats-server (Debian: nats-server)");

export interface NatsServer extends AsyncDisposable {
  readonly address: Address;
  readonly url: string;
  readonly folder: Folder;
  /** What the server keeps. */
  readonly store: string;
  start(): Promise<void>;
  /** Reads another configuration, as `nats-server --signal reload` has it do. */
  reload(configuration: (site: Site) => string): void;
  /** SIGSTOP: it stands still, with its connections open. */
  stands(): void;
  /** SIGKILL. */
  kill(): Promise<void>;
}

const answers = ({ hostname, port }: Address): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, hostname);
    socket.on("data", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
    socket.on("close", () => resolve(false));
  });

/** Where a server of a test is, before it has a configuration. */
export interface Site {
  readonly address: Address;
  readonly folder: Folder;
  readonly store: string;
}

const keys = new Map<string, KeyPair>();

/** The keys of a host, which are the same for each server of a test. */
export function keysOf(host: string): KeyPair {
  const known = keys.get(host) ?? newKeyPair();
  keys.set(host, known);
  return known;
}

/** May do everything in the account that has the stream. */
const OPERATOR = "operator";

export interface Fleet {
  /** They receive what all send. */
  readonly hubs: readonly string[];
  readonly hosts: readonly string[];
  /** Hosts behind a leaf node, by the name of their site. */
  readonly sites: Readonly<Record<string, readonly string[]>>;
}

function wishOf(
  { hubs, hosts, sites }: Fleet,
  listen: string,
  leafListen: string,
): ServerWish & { readonly domain: string } {
  const user = (host: string, receives: boolean, site: string | null) => ({
    host,
    publicKey: keysOf(host).publicKey,
    receives,
    site,
  });
  const users = [
    ...hubs.map((host) => user(host, true, null)),
    ...hosts.map((host) => user(host, false, null)),
    ...Object.entries(sites).flatMap(([site, members]) => members.map((host) => user(host, false, site))),
  ];
  return { users, stream: "NERVE", domain: "hub", listen, leafListen, isTls: false };
}

/** What `nerve fleet init` prints for these hosts, and the operator. */
export const printed =
  (fleet: Fleet, leafListen = "127.0.0.1:7422") =>
  ({ address, store, folder }: Site): string => {
    const sites = Object.keys(fleet.sites);
    writeFileSync(
      folder.file("sites.conf"),
      sites.map((site) => `PASSWORD_${site.toUpperCase()}: "secret"\n`).join(""),
    );
    return serverConfig(wishOf(fleet, address.text, leafListen))
      .replace("/var/lib/nats", store)
      .replace(
        `"${HUB_ACCOUNT}": {\n    jetstream: enabled\n    users: [`,
        `$& { nkey: ${keysOf(OPERATOR).publicKey} }`,
      );
  };

/** What it prints for the leaf node of a site. */
export const printedLeaf =
  (fleet: Fleet, site: string, leafListen: string) =>
  ({ address, folder }: Site): string => {
    writeFileSync(folder.file("hub.conf"), `HUB: "nats-leaf://${site}:secret@${leafListen}"\n`);
    return leafConfig(wishOf(fleet, address.text, leafListen), site);
  };

const USUAL: Fleet = { hubs: ["hub", "a", "b"], hosts: ["web", "web1", "web2", "evil"], sites: {} };

/** `configuration`: the whole of the server's. */
export async function natsServer(configuration = printed(USUAL)): Promise<NatsServer> {
  const folder = temporaryFolder();
  const address = await freeAddress();
  const store = folder.file("store");
  const file = folder.file("nats.conf");
  writeFileSync(file, configuration({ address, folder, store }));
  let child: Bun.Subprocess | null = null;
  const server: NatsServer = {
    address,
    url: `nats://${address.text}`,
    folder,
    store,
    async start() {
      child = Bun.spawn([SERVER, "-c", file], { stdout: "ignore", stderr: Bun.file(folder.file("nats.log")) });
      const { exited } = child;
      const log = folder.file("nats.log");
      const refused = exited.then(() =>
        Promise.reject(new Error(`nats-server has ended: ${readFileSync(log, "utf8")}`)),
      );
      await Promise.race([until("the nats-server answers", () => answers(address)), refused]);
      refused.catch(() => {});
    },
    reload(next) {
      writeFileSync(file, next({ address, folder, store }));
      if (child !== null) sendSignal(child.pid, "SIGHUP");
    },
    stands() {
      if (child !== null) sendSignal(child.pid, "SIGSTOP");
    },
    async kill() {
      if (child === null) return;
      sendSignal(child.pid, "SIGKILL");
      await child.exited;
      child = null;
    },
    async [Symbol.asyncDispose]() {
      await server.kill();
      folder[Symbol.dispose]();
    },
  };
  await server.start();
  return server;
}

export const operator = () => ({
  ...{ host: "test", creds: null, ca: null, cert: null, key: null },
  nkey: keysOf(OPERATOR).seed,
});

/** Requests to the server as somebody who may do everything. */
export async function asOperator<Value>(url: string, act: (requests: Requests) => Promise<Value>): Promise<Value> {
  const connection = await connectTo(url, operator());
  if ("kind" in connection) throw new Error(connection.why);
  try {
    return await act(
      new Requests(connection.nats, { host: "test", server: url, stream: "NERVE", identity: null, domain: null }),
    );
  } finally {
    await connection.nats.close();
  }
}

export const GENEROUS = { stream: "NERVE", maxBytes: 256 * 1024 * 1024, maxAgeMs: 86_400_000, replicas: 1 };

export async function streamOn(url: string, wish = GENEROUS): Promise<void> {
  const made = await asOperator(url, (requests) => makeStream(requests, wish));
  if (made.kind !== "made") throw new Error(JSON.stringify(made));
}

export const deleteStream = (url: string): Promise<unknown> =>
  asOperator(url, (requests) => requests.ask("STREAM.DELETE.NERVE", null));

interface StreamNow {
  readonly config: object;
  readonly state: { readonly messages: number; readonly first_seq: number };
}

const streamNow = (url: string): Promise<StreamNow> =>
  asOperator(url, async (requests) => {
    const info = await requests.ask<StreamNow>("STREAM.INFO.NERVE", null);
    if (info.kind !== "answered") throw new Error(info.why);
    return info.value;
  });

/** `change`: of the stream's configuration, as JetStream has it. */
export async function changeStream(url: string, change: object): Promise<void> {
  const { config } = await streamNow(url);
  const changed = await asOperator(url, (requests) => requests.ask("STREAM.UPDATE.NERVE", { ...config, ...change }));
  if (changed.kind !== "answered") throw new Error(changed.why);
}

const NANOS_PER_MS = 1_000_000;

/** Lets frames go with their time until `isGone`; those that come later stay. */
export async function forgetFrames(url: string, isGone: (state: StreamNow["state"]) => boolean): Promise<void> {
  await changeStream(url, { max_age: 1_000 * NANOS_PER_MS });
  await until("the stream has forgotten frames", async () => isGone((await streamNow(url)).state));
  await changeStream(url, { max_age: GENEROUS.maxAgeMs * NANOS_PER_MS });
}

type Head = Readonly<Record<string, string>>;

/** Whatever somebody may publish. */
export const publish = (url: string, subject: string, body: Uint8Array | string, head: Head): Promise<void> =>
  publishAll(url, subject, [body], head);

/** `head`: of all, or what is the head of each by its place. Resolves when the server has them. */
export async function publishAll(
  url: string,
  subject: string,
  bodies: readonly (Uint8Array | string)[],
  head: Head | ((at: number) => Head),
): Promise<void> {
  const connection = await connectTo(url, operator());
  if ("kind" in connection) throw new Error(connection.why);
  for (const [at, body] of bodies.entries()) {
    const written = headers();
    for (const [key, value] of Object.entries(typeof head === "function" ? head(at) : head)) written.set(key, value);
    connection.nats.publish(subject, body, { headers: written });
    if (at % 500 === 499) await connection.nats.flush();
  }
  await connection.nats.flush();
  await connection.nats.close();
}

export interface Watched extends AsyncDisposable {
  /** Of each message, in the order in which they came. */
  readonly subjects: readonly string[];
  /** Resolves when all that the server has is here. */
  flush(): Promise<void>;
}

/** What is published under `subject`, which may have wildcards. */
export async function watched(url: string, subject: string): Promise<Watched> {
  const connection = await connectTo(url, operator());
  if ("kind" in connection) throw new Error(connection.why);
  const subjects: string[] = [];
  connection.nats.subscribe(subject, { callback: (_, message) => void subjects.push(message.subject) });
  await connection.nats.flush();
  return { subjects, flush: () => connection.nats.flush(), [Symbol.asyncDispose]: () => connection.nats.close() };
}

/** Owns the sections `http` and `push`: the address of each, and from where it may be reached. */
import type { ListenConfig } from "../model/config.ts";
import { flag, key, list, type Reader, reader, readFields, readText, schemaOf, shapeOf } from "./fields.ts";
import type { Report } from "./report.ts";
import { child, type Place, type Tree } from "./tree.ts";

const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/;
interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** `example`: an address as people write one here. */
const addressLike = (example: string): Reader<Address> =>
  reader({ type: "string", pattern: ADDRESS.source }, (tree, label, report) => {
    const match = tree.kind === "scalar" ? ADDRESS.exec(tree.text) : null;
    const hostname = match?.[1] ?? match?.[2];
    const port = Number(match?.[3]);
    if (hostname !== undefined && port >= 1 && port <= 65_535) return { hostname, port };
    report.expected("bad-address", tree, label, `an address and port such as ${example}`, null);
    return null;
  });

const HOST = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)$/;

const readHost: Reader<string> = reader({ type: "string", pattern: HOST.source }, (tree, label, report) => {
  const host = readText("the name of a host", tree, label, report);
  if (host === null || HOST.test(host)) return host?.toLowerCase() ?? null;
  report.expected("bad-value", tree, label, "the name of a host such as web-1.example.org", "without scheme and port");
  return null;
});

const readUrl: Reader<string> = reader({ type: "string" }, (tree, label, report) => {
  const url = readText("an http or https URL", tree, label, report);
  if (url === null) return null;
  const parsed = URL.parse(url);
  if (parsed !== null && ["http:", "https:"].includes(parsed.protocol)) return url.replace(/\/+$/, "");
  report.expected("bad-value", tree, label, "an http or https URL", null);
  return null;
});

interface Section {
  readonly name: "http" | "push";
  readonly example: string;
  /** What its `url` is the beginning of. */
  readonly url: string;
}

const keysOf = ({ name, example, url }: Section) => ({
  listen: key(
    addressLike(example),
    "none",
    `the address and the port. \`${name}: ${example}\` is short for \`${name}: { listen: ${example} }\``,
  ),
  hosts: key(
    list(readHost, "a list of names of hosts"),
    "none",
    "names that a request may be addressed to, beside `localhost`, `127.0.0.1`, `[::1]` and the loopback address of `listen`; needed with `public`",
  ),
  public: key(flag, "`false`", "`true`: it may listen on another address than loopback. nerve speaks no TLS"),
  url: key(readUrl, "none", url),
});

const HTTP: Section = { name: "http", example: "127.0.0.1:4280", url: "what links in messages begin with" };
const PUSH: Section = {
  name: "push",
  example: "127.0.0.1:4281",
  url: "what the ping URLs that `nerve token SENSE` prints begin with",
};

export const HTTP_KEYS = keysOf(HTTP);
export const PUSH_KEYS = keysOf(PUSH);

/** `127.0.0.0/8`, `::1` or `localhost`. */
export const isLoopback = (hostname: string): boolean =>
  /^127(?:\.\d{1,3}){3}$/.test(hostname) || hostname === "::1" || hostname.toLowerCase() === "localhost";

function listenReader({ example }: Section, keys: typeof HTTP_KEYS): Reader<ListenConfig> {
  const shape = shapeOf(keys);
  const short = addressLike(example);
  const readShort = (tree: Tree, label: string, report: Report): ListenConfig | null => {
    const address = short(tree, label, report);
    return address && { ...address, hosts: [], public: false, url: null };
  };
  const readLong = (tree: Tree, label: string, report: Report): ListenConfig | null => {
    const fields = readFields(tree, label, shape, report);
    if (!fields) return null;
    const { listen, hosts, public: isPublic, url } = fields.values;
    if (fields.placeOf("listen") === null) {
      report.add("missing-key", tree.place, `\`${child(label, "listen")}\` is missing`, `as in listen: ${example}`);
    }
    if (listen === null) return null;
    return { ...listen, hosts: (hosts ?? []).filter((host) => host !== null), public: isPublic ?? false, url };
  };
  const schema = { anyOf: [short.schema, { ...schemaOf(shape), required: ["listen"] }] };
  return reader(schema, (tree, label, report) => {
    const config = tree.kind === "map" ? readLong(tree, label, report) : readShort(tree, label, report);
    if (config !== null) checkReach(config, tree, label, report);
    return config;
  });
}

export const readHttp = listenReader(HTTP, HTTP_KEYS);
export const readPush = listenReader(PUSH, PUSH_KEYS);

/** One address is one listener's. `place`: of the key `push`. */
export function checkAddresses(
  http: ListenConfig | null,
  push: ListenConfig | null,
  place: Place,
  report: Report,
): void {
  if (http === null || push === null || http.port !== push.port || http.hostname !== push.hostname) return;
  report.add("same-address", place, "`push` has the address of `http`", "give `push` another port, such as 4281");
}

/** Whoever reaches the address may try to look: anything but loopback is opened on purpose only. */
function checkReach(
  { hostname, hosts, public: isPublic }: ListenConfig,
  tree: Tree,
  label: string,
  report: Report,
): void {
  if (isLoopback(hostname)) return;
  if (!isPublic || hosts.length === 0) {
    const message = `\`${label}\` listens on an address that others can reach, without ${isPublic ? "`hosts`" : "`public: true`"}`;
    const hint =
      "listen on 127.0.0.1 and reach it through a tunnel, or write { listen: …, public: true, hosts: [the names people type] }";
    report.add("not-public", tree.place, message, hint);
    return;
  }
  const message = `\`${label}\`: nerve speaks no TLS, so who is between this host and the other end reads everything, tokens too`;
  report.warn("no-tls", tree.place, message, "put a proxy with TLS before it, or listen on 127.0.0.1 and use a tunnel");
}

/** Owns the section `http`: the address at which nerve is looked at, and who may look from where. */
import type { HttpConfig } from "../model/config.ts";
import { flag, key, list, type Reader, reader, readFields, schemaOf, shapeOf, text } from "./fields.ts";
import type { Report } from "./report.ts";
import { child, type Tree } from "./tree.ts";

const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/;
const AN_ADDRESS = "an address and port such as 127.0.0.1:4280";

interface Address {
  readonly hostname: string;
  readonly port: number;
}

const readAddress: Reader<Address> = reader({ type: "string", pattern: ADDRESS.source }, (tree, label, report) => {
  const match = tree.kind === "scalar" ? ADDRESS.exec(tree.text) : null;
  const hostname = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (hostname !== undefined && port >= 1 && port <= 65_535) return { hostname, port };
  report.expected("bad-address", tree, label, AN_ADDRESS, null);
  return null;
});

const HOST = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)$/;

const readHost: Reader<string> = reader({ type: "string", pattern: HOST.source }, (tree, label, report) => {
  const host = text("the name of a host")(tree, label, report);
  if (host === null || HOST.test(host)) return host?.toLowerCase() ?? null;
  report.expected("bad-value", tree, label, "the name of a host such as web-1.example.org", "without scheme and port");
  return null;
});

const readUrl: Reader<string> = reader({ type: "string" }, (tree, label, report) => {
  const url = text("an http or https URL")(tree, label, report);
  if (url === null) return null;
  const parsed = URL.parse(url);
  if (parsed !== null && ["http:", "https:"].includes(parsed.protocol)) return url.replace(/\/+$/, "");
  report.expected("bad-value", tree, label, "an http or https URL", null);
  return null;
});

export const HTTP_KEYS = {
  listen: key(
    readAddress,
    "none",
    "the address and the port. `http: 127.0.0.1:4280` is short for `http: { listen: 127.0.0.1:4280 }`",
  ),
  hosts: key(
    list(readHost, "a list of names of hosts"),
    "none",
    "names that a request may be addressed to, beside `localhost`, `127.0.0.1`, `[::1]` and the loopback address of `listen`; needed with `public`",
  ),
  public: key(flag, "`false`", "`true`: it may listen on another address than loopback. nerve speaks no TLS"),
  url: key(readUrl, "none", "what links in messages begin with"),
};

const HTTP = shapeOf(HTTP_KEYS);

/** `127.0.0.0/8`, `::1` or `localhost`. */
const isLoopback = (hostname: string): boolean =>
  /^127(?:\.\d{1,3}){3}$/.test(hostname) || hostname === "::1" || hostname.toLowerCase() === "localhost";

export const readHttp: Reader<HttpConfig> = reader(
  { anyOf: [readAddress.schema, { ...schemaOf(HTTP), required: ["listen"] }] },
  (tree, label, report) => {
    const config = tree.kind === "map" ? readLong(tree, label, report) : readShort(tree, label, report);
    if (config !== null) checkReach(config, tree, label, report);
    return config;
  },
);

function readShort(tree: Tree, label: string, report: Report): HttpConfig | null {
  const address = readAddress(tree, label, report);
  return address && { ...address, hosts: [], public: false, url: null };
}

function readLong(tree: Tree, label: string, report: Report): HttpConfig | null {
  const fields = readFields(tree, label, HTTP, report);
  if (!fields) return null;
  const { listen, hosts, public: isPublic, url } = fields.values;
  if (fields.placeOf("listen") === null) {
    report.add("missing-key", tree.place, `\`${child(label, "listen")}\` is missing`, "as in listen: 127.0.0.1:4280");
  }
  if (listen === null) return null;
  return { ...listen, hosts: (hosts ?? []).filter((host) => host !== null), public: isPublic ?? false, url };
}

/** Whoever reaches the address may try to look: anything but loopback is opened on purpose only. */
function checkReach(
  { hostname, hosts, public: isPublic }: HttpConfig,
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
  const message = "nerve speaks no TLS: who is between a browser and this host reads every answer, and the cookie";
  report.warn("no-tls", tree.place, message, "put a proxy with TLS before it, or listen on 127.0.0.1 and use a tunnel");
}

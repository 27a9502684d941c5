/** Owns the key `needs`: what a module needs of the host. `nerve unit` and `nerve check --host` read the key. */
import { CAPABILITIES, type Needs, type Reach } from "../model/needs.ts";
import { key, list, oneOf, type Reader, reader, readFields, readText, schemaOf, shapeOf, text } from "./fields.ts";
import { isEmpty } from "./tree.ts";

/** A list without the items that could not be read; each of those has been reported. */
function items<T>(read: Reader<T>, what: string): Reader<readonly T[]> {
  const all = list(read, what);
  return reader({ ...all.schema, type: ["array", "null"] }, (tree, label, report) => {
    if (isEmpty(tree)) return [];
    return all(tree, label, report)?.filter((item) => item !== null) ?? null;
  });
}

const matching = (what: string, matches: (value: string) => boolean): Reader<string> =>
  reader({ ...text(what).schema, description: what }, (tree, label, report) => {
    const value = readText(what, tree, label, report);
    if (value === null || matches(value)) return value;
    report.expected("bad-value", tree, label, what, null);
    return null;
  });

/** Source: systemd's documentation of user and group name syntax. */
const GROUP = /^[a-zA-Z_][a-zA-Z0-9_-]{0,30}$/;
/** In a unit file a control character ends the line, and a `\` at its end joins the line with the next. */
const isOneLine = (value: string): boolean => !/[\p{Cc}]|\\$/u.test(value);
const DEVICE_CLASS = /^(?:char|block)-[\w*./-]+$/;
const WRITES = /:rw$/;

function reach(what: string, matches: (path: string) => boolean): Reader<Reach> {
  const written = matching(what, (given) => matches(given.replace(WRITES, "")));
  return reader(written.schema, (tree, label, report) => {
    const value = written(tree, label, report);
    if (value === null) return null;
    return { path: value.replace(WRITES, ""), access: WRITES.test(value) ? "write" : "read" };
  });
}

const readPath = reach(
  "an absolute path such as /srv/reports, with :rw behind it where it is written",
  (path) => path.startsWith("/") && isOneLine(path),
);

const readDevice = reach(
  "a device such as /dev/sda or char-drm, with :rw behind it where it is written",
  (path) => (/^\/dev\/./.test(path) || DEVICE_CLASS.test(path)) && isOneLine(path),
);

const NAMED_NETWORKS = ["any", "localhost", "link-local", "multicast"];

function isNetwork(value: string): boolean {
  const [address = "", bits, ...more] = value.split("/");
  // Loaded at the first address: the module brings half a megabyte of streams.
  const { isIP } = require("node:net") as typeof import("node:net");
  const family = isIP(address);
  if (family === 0 || more.length > 0) return NAMED_NETWORKS.includes(value);
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

const readAddress = matching("an address or network such as 192.0.2.7 or 10.0.0.0/8", isNetwork);

const readAddresses = items(readAddress, "true, or a list of addresses");
const NETWORK_SCHEMA = { anyOf: [{ type: "boolean" }, readAddresses.schema] };

/** `true` stands for every address, `false` for none. */
const readNetwork: Reader<readonly string[]> = reader(NETWORK_SCHEMA, (tree, label, report) => {
  if (tree.kind === "scalar" && typeof tree.value === "boolean") return tree.value ? ["any"] : [];
  return readAddresses(tree, label, report);
});

const readLine = matching("a program such as journalctl or /usr/bin/smartctl", isOneLine);

const readProgram: Reader<readonly string[]> = reader(readLine.schema, (tree, label, report) => {
  const line = readLine(tree, label, report);
  return line === null ? null : line.trim().split(/\s+/);
});

/** The keys of `needs`: for each key its reader and its text in the docs. */
export const NEEDS_KEYS = {
  groups: key(
    items(
      matching("the name of a group", (name) => GROUP.test(name)),
      "a list of groups",
    ),
    "none",
    "groups of the host that nerve's user has to be in",
  ),
  capabilities: key(
    items(oneOf(...CAPABILITIES), "a list of capabilities"),
    "none",
    "`CAP_NET_RAW` and the like: see capabilities(7)",
  ),
  devices: key(
    items(readDevice, "a list of devices"),
    "none",
    "`/dev/sda`, or a class such as `char-drm`; with `:rw` behind it where the module writes to it",
  ),
  network: key(
    readNetwork,
    "loopback",
    "`true`: every address · or a list of addresses and networks: `[192.0.2.0/24]`",
  ),
  paths: key(
    items(readPath, "a list of paths"),
    "none",
    "files and folders the module reads; with `:rw` behind it where the module writes: `/srv/reports:rw`",
  ),
  programs: key(
    items(readProgram, "a list of programs"),
    "none",
    "programs the module runs, with the arguments that matter: `systemctl restart nginx`. What `journalctl`, `docker`, `systemctl` and a few others need in turn is known",
  ),
};

const SHAPE = shapeOf(NEEDS_KEYS);

export const readNeeds: Reader<Needs> = reader(schemaOf(SHAPE), (tree, label, report) => {
  const fields = readFields(tree, label, SHAPE, report);
  if (!fields) return null;
  const { groups, capabilities, devices, network, paths, programs } = fields.values;
  return {
    groups: groups ?? [],
    capabilities: capabilities ?? [],
    devices: devices ?? [],
    network: network ?? [],
    paths: paths ?? [],
    programs: programs ?? [],
  };
});

export const NEEDS = key(
  readNeeds,
  "nothing",
  "what the module needs of the host, for `nerve unit` and `nerve check --host`: see [below](#needs)",
);

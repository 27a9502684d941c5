// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax of nerve.yaml
/** Owns the section `fleet`: the engine that joins hosts, who this host is to it, what leaves and what comes in. */
import { isAbsolute, join } from "node:path";
import type { FleetConfig } from "../model/fleet.ts";
import { isRemotePattern, isSensePattern, REMOTE_SCHEMA, SENSES_SCHEMA } from "../model/full-name.ts";
import {
  type Fields,
  key,
  list,
  type Reader,
  reader,
  readFields,
  readText,
  schemaOf,
  shapeOf,
  text,
} from "./fields.ts";
import { isLoopback } from "./listen.ts";
import { DURATION_UNITS, duration, hintOn } from "./quantities.ts";
import type { Report } from "./report.ts";
import { isStandIn } from "./source.ts";
import { child, isEmpty, type Tree } from "./tree.ts";

const SERVER = "the address of a NATS server, such as tls://nats1.example:4222";

const readServer: Reader<string> = reader({ type: "string", pattern: "^(tls|nats)://" }, (tree, label, report) => {
  const refuse = (hint: string | null): null => {
    report.expected("bad-address", tree, label, SERVER, hint);
    return null;
  };
  const written = readText(SERVER, tree, label, report);
  if (written === null || isStandIn(written)) return written;
  const url = URL.parse(written);
  const scheme = url?.protocol ?? "";
  if (url === null || !["tls:", "nats:"].includes(scheme) || url.hostname === "")
    return refuse(
      /^[\w.-]+(:\d+)?$/.test(written) && tree.kind === "scalar" && !tree.filled ? `write tls://${written}` : null,
    );
  if (url.username !== "" || url.password !== "") {
    report.add("bad-address", tree.place, `\`${label}\` holds a name or a password`, "write `nkey` or `creds` instead");
    return null;
  }
  if (!["", "/"].includes(url.pathname) || url.search !== "" || url.hash !== "") return refuse("without a path");
  if (scheme === "nats:" && !isLoopback(url.hostname.replace(/^\[|\]$/g, ""))) {
    const hint = "write tls://…: only a server on loopback is spoken to without TLS";
    report.add("no-tls", tree.place, `\`${label}\` is the address of another host, without TLS`, hint);
    return null;
  }
  return written.replace(/\/$/, "");
});

/** The seed of a user's nkey. */
const SEED = /^SU[A-Z2-7]{56}$/;

const readSeed: Reader<string> = reader({ type: "string" }, (tree, label, report) => {
  if (tree.kind === "broken") return null;
  const seed = tree.kind === "scalar" && !isEmpty(tree) ? tree.text.trim() : "";
  if (SEED.test(seed) || isStandIn(seed)) return seed;
  const hint = "`nerve fleet key` makes a pair; the half that begins with SU is written here, as ${credential:NAME}";
  report.add("bad-value", tree.place, `\`${label}\` must be the seed of a user's nkey`, hint);
  return null;
});

const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;

const token = (what: string): Reader<string> =>
  reader({ type: "string", pattern: TOKEN.source }, (tree, label, report) => {
    const value = readText(what, tree, label, report);
    if (value === null || TOKEN.test(value)) return value;
    report.expected("bad-name", tree, label, `${what} (at most 64 of A-Z, a-z, 0-9, - and _)`, null);
    return null;
  });

const SENSES = 'the name of a sense, in which `*` may stand, such as "disk-*"';

export const readSent: Reader<string> = reader(SENSES_SCHEMA, (tree, label, report) => {
  const value = readText(SENSES, tree, label, report);
  if (value === null || isSensePattern(value)) return value;
  const hint = isRemotePattern(value) ? "only signals made on this host leave: write the sense alone" : null;
  report.expected("bad-name", tree, label, SENSES, hint);
  return null;
});

/** What `on` and `receive` call a sense of another host. */
export const REMOTE = 'a sense of another host, such as web1/cpu-usage or "*/host-health"';

const readReceived: Reader<string> = reader(REMOTE_SCHEMA, (tree, label, report) => {
  const value = readText(REMOTE, tree, label, report);
  if (value === null || isRemotePattern(value)) return value;
  const hint = isSensePattern(value) ? `write "*/${value}" for this sense of every other host` : null;
  report.expected("bad-name", tree, label, REMOTE, hint);
  return null;
});

/** Relative to the config, which `settleFleet` knows. */
const path = text("the path of a file");

const atLeast = (leastMs: number, shown: string): Reader<number> =>
  reader(duration.schema, (tree, label, report) => {
    const ms = duration(tree, label, report);
    if (ms === null || ms >= leastMs) return ms;
    report.expected("bad-duration", tree, label, `at least ${shown}`, hintOn(tree, DURATION_UNITS));
    return null;
  });

const DEFAULT_STREAM = "NERVE";
const SECOND = 1_000;
const DEFAULT_EVERY_MS = SECOND;
const DEFAULT_BEAT_MS = 15 * SECOND;
const DEFAULT_FRESH_MS = 15 * 60 * SECOND;
const DEFAULT_SILENT_AFTER_MS = 60 * SECOND;

export const FLEET_KEYS = {
  servers: key(
    list(readServer, "a list of addresses such as [tls://nats1.example:4222]"),
    "needed",
    "addresses of the NATS servers: `tls://HOST:PORT`; `nats://` on loopback only",
  ),
  nkey: key(
    readSeed,
    "none",
    "the seed of this host's key pair, as `${credential:nerve-nkey}`; `nerve fleet key` makes one",
  ),
  creds: key(path, "none", "a `.creds` file, in the place of `nkey`"),
  ca: key(path, "the host's", "a PEM file with the authorities that sign the servers' certificates"),
  cert: key(
    path,
    "none",
    "a PEM file with this host's certificate, where the servers ask for one; together with `key`",
  ),
  key: key(path, "none", "a PEM file with the key of `cert`"),
  domain: key(token("the name of a JetStream domain"), "none", "the JetStream domain of the hub, behind a leaf node"),
  stream: key(token("the name of a stream"), `\`${DEFAULT_STREAM}\``, "the stream, made by `nerve fleet init`"),
  send: key(
    list(readSent, 'a list of senses such as [host-health, "disk-*"]'),
    "none",
    '`[host-health, "disk-*"]`: senses whose signals leave this host',
  ),
  receive: key(
    list(readReceived, 'a list such as ["*/host-health"]'),
    "none",
    '`["*/host-health", web1/cpu-usage]`: senses of other hosts whose signals are stored here, beside what any `on` names',
  ),
  every: key(
    atLeast(250, "250ms"),
    "`1s`",
    "signals leave together at most this often; 500 signals or 256 KiB leave at once",
  ),
  beat: key(atLeast(SECOND, "1s"), "`15s`", "a sign of life leaves when nothing else has for so long"),
  fresh: key(
    duration,
    "`15m`",
    "a signal that is older when it comes in is stored, and no reflex looks at it; log `fleet.late`",
  ),
  silent_after: key(
    atLeast(SECOND, "1s"),
    "`60s`",
    "a host of which nothing came for so long is silent: signal `HOST/presence`",
  ),
};

const FLEET = shapeOf(FLEET_KEYS);
type FleetFields = Fields<typeof FLEET>;

/** The section as written. The paths are relative to the config. */
export const readFleet: Reader<FleetConfig> = reader(
  { ...schemaOf(FLEET), required: ["servers"] },
  (tree, label, report) => {
    const fields = readFields(tree, label, FLEET, report);
    if (!fields) return null;
    checkFleet(fields, tree, label, report);
    const { servers, nkey, creds, ca, cert, key, domain, stream, send, receive, every, beat } = fields.values;
    const present = (items: readonly (string | null)[] | null): string[] =>
      [...new Set(items ?? [])].filter((one) => one !== null);
    return {
      servers: present(servers),
      ...{ nkey, creds, ca, cert, key, domain },
      stream: stream ?? DEFAULT_STREAM,
      send: present(send),
      receive: present(receive),
      everyMs: every ?? DEFAULT_EVERY_MS,
      beatMs: beat ?? DEFAULT_BEAT_MS,
      freshMs: fields.values.fresh ?? DEFAULT_FRESH_MS,
      silentAfterMs: fields.values.silent_after ?? DEFAULT_SILENT_AFTER_MS,
    };
  },
);

function checkFleet({ values, placeOf, treeOf }: FleetFields, tree: Tree, label: string, report: Report): void {
  const at = (name: keyof typeof FLEET): string => child(label, name);
  if (placeOf("servers") === null) {
    const hint = "as in servers: [tls://nats1.example:4222]";
    report.add("missing-key", tree.place, `\`${at("servers")}\` is missing`, hint);
  } else if (values.servers?.length === 0) {
    report.expected("bad-value", treeOf("servers") ?? tree, at("servers"), "a list of at least one address", null);
  }
  const both = placeOf("creds");
  if (both !== null && placeOf("nkey") !== null)
    report.add("conflict", both, `\`${at("creds")}\` does not go with \`nkey\``, "keep one of them");
  for (const [one, other] of [
    ["cert", "key"],
    ["key", "cert"],
  ] as const) {
    const place = placeOf(one);
    if (place !== null && placeOf(other) === null)
      report.add("missing-key", place, `\`${at(one)}\` needs \`${other}\``, `add \`${other}\`, the path of a PEM file`);
  }
  checkTimes({ values, treeOf }, at, report);
}

/** A host that keeps to its times is never silent. */
function checkTimes(
  { values, treeOf }: Pick<FleetFields, "values" | "treeOf">,
  at: (name: "beat" | "silent_after") => string,
  report: Report,
): void {
  const everyMs = values.every ?? DEFAULT_EVERY_MS;
  const beatMs = values.beat ?? DEFAULT_BEAT_MS;
  const beat = treeOf("beat");
  if (beat !== null && values.beat !== null && beatMs < everyMs)
    report.expected("conflict", beat, at("beat"), "no shorter than `every`", null);
  const silent = treeOf("silent_after");
  const silentMs = values.silent_after ?? DEFAULT_SILENT_AFTER_MS;
  if (beatMs < silentMs) return;
  const hint = "`beat` of all hosts and `silent_after` belong together: four beats are a good measure";
  if (silent !== null && values.silent_after !== null)
    report.expected("conflict", silent, at("silent_after"), "longer than `beat`", hint);
  else if (beat !== null && values.beat !== null)
    report.expected("conflict", beat, at("beat"), "shorter than `silent_after` (60s)", hint);
}

/** The section with its paths made absolute. `folder`: of the config. */
export function settleFleet(fleet: FleetConfig, folder: string): FleetConfig {
  const settled = (file: string | null): string | null =>
    file === null || isAbsolute(file) || isStandIn(file) ? file : join(folder, file);
  const { creds, ca, cert, key } = fleet;
  return { ...fleet, creds: settled(creds), ca: settled(ca), cert: settled(cert), key: settled(key) };
}

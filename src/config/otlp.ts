// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax of nerve.yaml
/** Owns the section `otlp`: the receiver of numbers, logs and runs of this host, and which of them are sent. */
import { matches } from "../base/glob.ts";
import type { NerveConfig } from "../model/config.ts";
import { LOG_LEVELS } from "../model/log.ts";
import type { OtlpConfig } from "../model/otlp.ts";
import { flag, key, list, oneOf, type Reader, reader, readFields, readText, schemaOf, shapeOf } from "./fields.ts";
import { readSent } from "./fleet.ts";
import { isLoopback } from "./listen.ts";
import { DURATION_UNITS, duration, hintOn } from "./quantities.ts";
import type { Report } from "./report.ts";
import { isStandIn } from "./source.ts";
import { child, entryOf, isEmpty, type MapTree, shown, type Tree } from "./tree.ts";

const ENDPOINT = "the address of a receiver of OTLP over HTTP, such as https://otel.example.org:4318";

const readEndpoint: Reader<string> = reader({ type: "string", pattern: "^https?://" }, (tree, label, report) => {
  const refuse = (hint: string | null): null => {
    report.expected("bad-address", tree, label, ENDPOINT, hint);
    return null;
  };
  const written = readText(ENDPOINT, tree, label, report);
  if (written === null || isStandIn(written)) return written;
  const url = URL.parse(written);
  if (url === null || !["https:", "http:"].includes(url.protocol) || url.hostname === "") {
    const isBare = tree.kind === "scalar" && !tree.filled && /^[\w.-]+(:\d+)?$/.test(written);
    return refuse(isBare ? `write https://${written}` : null);
  }
  if (url.username !== "" || url.password !== "") {
    const message = `\`${label}\` holds a name or a password`;
    report.add("bad-address", tree.place, message, "write them as a header: authorization: ${credential:NAME}");
    return null;
  }
  if (url.search !== "" || url.hash !== "") return refuse("without a query: what is secret stands in `headers`");
  if (/\/v1\/(metrics|logs|traces)\/?$/.test(url.pathname))
    return refuse("without /v1/…: nerve adds it for each kind of what is sent");
  if (url.protocol === "http:" && !isLoopback(url.hostname.replace(/^\[|\]$/g, ""))) {
    const hint = "write https://…: only a receiver on loopback is spoken to without TLS";
    report.add("no-tls", tree.place, `\`${label}\` is the address of another host, without TLS`, hint);
    return null;
  }
  return written.replace(/\/+$/, "");
});

/** RFC 9110, section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
const PRINTABLE = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/;
/** What nerve itself says of a request. */
const RESERVED = ["content-type", "content-encoding", "content-length", "transfer-encoding", "host", "connection"];
const HEADERS = "a map of headers such as { authorization: ${credential:otlp} }";

const readHeaders: Reader<Readonly<Record<string, string>>> = reader(
  { type: ["object", "null"], additionalProperties: { type: ["string", "number"] } },
  (tree, label, report) => {
    if (isEmpty(tree)) return {};
    if (tree.kind !== "map") {
      // A header may be a secret: the message shows nothing of it.
      report.add("wrong-type", tree.place, `\`${label}\` must be ${HEADERS}`, null);
      return null;
    }
    const headers: Record<string, string> = {};
    for (const { key: name, keyPlace, value } of tree.entries) {
      const at = child(label, name);
      const text = value.kind === "scalar" && !isEmpty(value) ? value.text : "";
      if (!HEADER_NAME.test(name)) report.add("bad-name", keyPlace, `\`${at}\` is not the name of a header`, null);
      else if (RESERVED.includes(name.toLowerCase()))
        report.add("reserved-name", keyPlace, `\`${at}\` is written by nerve itself`, "remove it");
      else if (value.kind !== "broken" && !PRINTABLE.test(text))
        report.add("bad-value", value.place, `\`${at}\` must be a text of printable ASCII on one line`, null);
      headers[name] = text;
    }
    return headers;
  },
);

const SEND_KEYS = {
  signals: key(
    list(readSent, 'a list of senses such as [host-health, "disk-*"]'),
    "none",
    '`[host-health, "disk-*"]`: senses whose numbers are sent as gauges',
  ),
  logs: key(oneOf(...LOG_LEVELS), "none", "logs from this level on are sent as log records"),
  runs: key(flag, "`false`", "`true`: runs and their steps are sent as spans, when they have ended"),
};

const SEND = shapeOf(SEND_KEYS);
const readSend = reader(schemaOf(SEND), (tree, label, report) => readFields(tree, label, SEND, report)?.values ?? null);

const LEAST_MS = 250;
const DEFAULT_EVERY_MS = 10_000;

const readEvery: Reader<number> = reader(duration.schema, (tree, label, report) => {
  const ms = duration(tree, label, report);
  if (ms === null || ms >= LEAST_MS) return ms;
  report.expected("bad-duration", tree, label, "at least 250ms", hintOn(tree, DURATION_UNITS));
  return null;
});

const OWN_KEYS = {
  endpoint: key(
    readEndpoint,
    "needed",
    "where a receiver of OTLP listens: `https://HOST:PORT`; `http://` on loopback only",
  ),
  headers: key(
    readHeaders,
    "none",
    "headers of each request, such as `{ authorization: ${credential:otlp} }`; never shown",
  ),
  send: key(readSend, "needed", "what is sent; nothing else is"),
  every: key(
    readEvery,
    "`10s`",
    "one request of a kind at most this often; where more waits than fits, the next leaves at once",
  ),
};

export const OTLP_KEYS = { ...OWN_KEYS, ...prefixed("send.", SEND_KEYS) };
const OTLP = shapeOf(OWN_KEYS);

function prefixed<K extends object>(prefix: string, keys: K): Record<string, K[keyof K]> {
  return Object.fromEntries(Object.entries(keys).map(([name, value]) => [`${prefix}${name}`, value]));
}

export const readOtlp: Reader<OtlpConfig> = reader(
  { ...schemaOf(OTLP), required: ["endpoint", "send"] },
  (tree, label, report) => {
    const fields = readFields(tree, label, OTLP, report);
    if (!fields) return null;
    for (const [name, hint] of [
      ["endpoint", "as in endpoint: https://otel.example.org:4318"],
      ["send", 'as in send: { signals: ["*"], logs: warn, runs: true }'],
    ] as const) {
      if (fields.placeOf(name) === null)
        report.add("missing-key", tree.place, `\`${child(label, name)}\` is missing`, hint);
    }
    const { endpoint, headers, send, every } = fields.values;
    if (endpoint === null || send === null) return null;
    const signals = [...new Set(send.signals ?? [])].filter((one) => one !== null);
    const { logs } = send;
    return {
      endpoint,
      headers: headers ?? {},
      signals,
      logs,
      runs: send.runs ?? false,
      everyMs: every ?? DEFAULT_EVERY_MS,
    };
  },
);

export function warnOfOtlp(root: MapTree, { otlp, senses }: NerveConfig, report: Report): void {
  const section = root.entries.find((entry) => entry.key === "otlp");
  if (otlp === null || section === undefined) return;
  const { signals, logs, runs } = otlp;
  if (signals.length === 0 && logs === null && !runs) {
    const hint = 'add `send: { signals: ["*"], logs: warn, runs: true }`';
    report.warn("unused-otlp", section.keyPlace, "`otlp` sends nothing", hint);
  }
  const sent = entryOf(entryOf(section.value, "send"), "signals");
  const items: readonly Tree[] = sent?.kind === "list" ? sent.items : [];
  for (const item of items) {
    if (item.kind !== "scalar" || [...senses.keys()].some((name) => matches(item.text, name))) continue;
    const message = `\`otlp.send.signals\` names ${shown(item.written)}, and there is no such sense: nothing of it is sent`;
    report.warn("unknown-sense", item.place, message, `defined are ${[...senses.keys()].map(shown).join(", ")}`);
  }
}

/**
 * The section `channels`: where people are told. An address of a channel is a secret even where it stands in the file: a
 * message names the place, never the address.
 */
import type { JsonObject } from "../base/json.ts";
import { CHANNEL_KINDS, type ChannelConfig, type ChannelKind } from "../model/channel.ts";
import {
  integer,
  jsonMap,
  key,
  named,
  oneOf,
  type Reader,
  reader,
  readFields,
  readText,
  type Shape,
  schemaOf,
  shapeOf,
  text,
} from "./fields.ts";
import type { Report } from "./report.ts";
import { child, hintOfMissingSpace, isBroken, isEmpty, type Tree } from "./tree.ts";

const DEFAULT_SMTP_PORT = 587;
const IMPLICIT_SMTP_PORT = 465;
const TELEGRAM = "https://api.telegram.org";
const PAGERDUTY = "https://events.pagerduty.com/v2/enqueue";

/** Text of which a message shows nothing. */
function secret(what: string, matches: (value: string) => boolean): Reader<string> {
  return reader({ type: ["string", "number"], description: what }, (tree, label, report) => {
    if (tree.kind === "broken") return null;
    const value = tree.kind === "scalar" && !isEmpty(tree) ? tree.text : "";
    if (value !== "" && matches(value)) return value;
    report.add("bad-value", tree.place, `\`${label}\` must be ${what}`, null);
    return null;
  });
}

/** Characters that end a line, or that no header may hold. */
const hasControls = (value: string): boolean => /\p{Cc}/u.test(value);

function isWebAddress(value: string): boolean {
  const address = URL.canParse(value) ? new URL(value) : null;
  return address !== null && ["http:", "https:"].includes(address.protocol) && !hasControls(value);
}

/** ntfy's own rule for the name of a topic. */
const TOPIC = /^\/[-_A-Za-z0-9]{1,64}\/?$/;

export const webAddress = secret("an http or https URL", isWebAddress);
const topic = secret(
  "the http or https URL of a topic, such as https://ntfy.sh/my-host",
  (value) => isWebAddress(value) && TOPIC.test(new URL(value).pathname),
);
const token = secret("a text on one line", (value) => !hasControls(value) && !/\s/.test(value));

const mailbox = secret(
  "a mail address such as ops@example.org",
  (value) => /^(?:[^<>@]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/.test(value) && !hasControls(value),
);

const recipients: Reader<readonly string[]> = reader(
  { anyOf: [{ type: "array", items: mailbox.schema, minItems: 1 }, mailbox.schema] },
  (tree, label, report) => {
    if (tree.kind !== "list") {
      const one = mailbox(tree, label, report);
      return one === null ? null : [one];
    }
    if (tree.items.length === 0) report.expected("bad-value", tree, label, "at least one mail address", null);
    return tree.items.flatMap((item, index) => mailbox(item, child(label, index), report) ?? []);
  },
);

const MAIL_HOST = "the name or address of a mail server";
const mailHost: Reader<string> = reader(text(MAIL_HOST).schema, (tree, label, report) => {
  const value = readText(MAIL_HOST, tree, label, report);
  if (value === null || /^[A-Za-z0-9.:_-]+$/.test(value)) return value;
  report.expected("bad-value", tree, label, MAIL_HOST, "the port stands under `port`");
  return null;
});

/** The keys of each kind: the one place that says which there are, how each is read and what stands in the docs. */
export const CHANNEL_KEYS = {
  smtp: {
    host: key(mailHost, "required", "the mail server"),
    port: key(
      integer(1, 65_535),
      `\`${DEFAULT_SMTP_PORT}\`, with \`tls: implicit\` \`${IMPLICIT_SMTP_PORT}\``,
      "its port",
    ),
    tls: key(
      oneOf("starttls", "implicit", "none"),
      "`starttls`",
      "`starttls`: encrypted after the greeting, or not sent at all · `implicit`: from the first byte · `none`: in the clear",
    ),
    user: key(text("the name of an account"), "none", "with `password`: signs in to the mail server"),
    password: key(token, "none", "of `user`"),
    from: key(mailbox, "required", "the sender, `nerve@web1.example.org` or `nerve <nerve@web1.example.org>`"),
    to: key(recipients, "required", "a mail address, or a list of them"),
  },
  ntfy: {
    url: key(topic, "required", "of the topic"),
    token: key(token, "none", "an access token, where the topic is protected"),
  },
  slack: { url: key(webAddress, "required", "of an incoming webhook") },
  discord: { url: key(webAddress, "required", "of a webhook of a channel") },
  telegram: {
    token: key(token, "required", "of the bot, from @BotFather"),
    chat_id: key(token, "required", "of a person, group or channel, or `@name` of a public channel"),
    url: key(webAddress, `\`${TELEGRAM}\``, "of the Bot API, where you run one of your own"),
  },
  pagerduty: {
    routing_key: key(token, "required", "the integration key of a service (Events API v2)"),
    url: key(
      webAddress,
      `\`${PAGERDUTY}\``,
      "of the Events API; `https://events.eu.pagerduty.com/v2/enqueue` in Europe",
    ),
  },
  alertmanager: { url: key(webAddress, "required", "of Alertmanager, such as http://127.0.0.1:9093") },
};

const SHAPES = {
  smtp: shapeOf(CHANNEL_KEYS.smtp),
  ntfy: shapeOf(CHANNEL_KEYS.ntfy),
  slack: shapeOf(CHANNEL_KEYS.slack),
  discord: shapeOf(CHANNEL_KEYS.discord),
  telegram: shapeOf(CHANNEL_KEYS.telegram),
  pagerduty: shapeOf(CHANNEL_KEYS.pagerduty),
  alertmanager: shapeOf(CHANNEL_KEYS.alertmanager),
};

/** Kinds of which an address alone says everything that is needed. */
const SHORT: readonly ChannelKind[] = ["ntfy", "slack", "discord", "alertmanager", "webhook"];

/** A text stands for `{ url: TEXT }` where the kind has a short form. */
function inFull(kind: ChannelKind, tree: Tree): Tree {
  if (tree.kind !== "scalar" || isEmpty(tree) || !SHORT.includes(kind)) return tree;
  const { place } = tree;
  return { kind: "map", place, entries: [{ key: "url", keyPlace: place, value: tree }] };
}

/** The fields of a kind, with what must be there. Null: something is missing or wrong. */
function fieldsOf<S extends Shape>(tree: Tree, label: string, shape: S, required: readonly string[], report: Report) {
  const shown = tree.kind === "scalar" && !isEmpty(tree);
  if (shown) {
    const hint = hintOfMissingSpace(tree) ?? `its keys are ${Object.keys(shape).join(", ")}`;
    report.add("wrong-type", tree.place, `\`${label}\` must be a map`, hint);
    return null;
  }
  const fields = readFields(tree, label, shape, report);
  if (fields === null) return null;
  const missing = required.filter((name) => fields.placeOf(name) === null);
  for (const name of missing) {
    report.add("missing-key", tree.place, `\`${child(label, name)}\` is missing`, `write \`${name}: …\``);
  }
  return missing.length === 0 && required.every((name) => fields.values[name] !== null) ? fields : null;
}

type Values<Kind extends keyof typeof SHAPES> = {
  readonly [Name in keyof (typeof SHAPES)[Kind]]: (typeof SHAPES)[Kind][Name] extends Reader<infer T> ? T : never;
};

/** Every required key is there: `fieldsOf` has seen to that. */
const valuesOf = <Kind extends keyof typeof SHAPES>(fields: { readonly values: unknown }) =>
  fields.values as Values<Kind>;

function readSmtp(name: string, tree: Tree, label: string, report: Report): ChannelConfig | null {
  const fields = fieldsOf(tree, label, SHAPES.smtp, ["host", "from", "to"], report);
  if (fields === null) return null;
  const { host, from, to } = valuesOf<"smtp">(fields);
  const { user, password } = fields.values;
  const [lacks, has] = fields.placeOf("user") === null ? ["user", "password"] : ["password", "user"];
  const place = fields.placeOf(lacks as "user") === null ? fields.placeOf(has as "user") : null;
  if (place !== null) {
    report.add(
      "missing-key",
      place,
      `\`${child(label, has)}\` stands without \`${lacks}\``,
      `write \`${lacks}: …\` too`,
    );
  }
  const tls = fields.values.tls ?? "starttls";
  const port = fields.values.port ?? (tls === "implicit" ? IMPLICIT_SMTP_PORT : DEFAULT_SMTP_PORT);
  return { kind: "smtp", name, host, port, tls, user, password, from, to };
}

/** Each channel is tried as often as any other. */
const NO_RETRY = "a channel is tried five times after the first";

function readWebhook(name: string, tree: Tree, label: string, report: Report): ChannelConfig | null {
  const options = jsonMap(tree, label, report);
  if (options === null || isBroken(tree)) return null;
  const address = tree.kind === "map" ? tree.entries.find((entry) => entry.key === "url")?.value : undefined;
  if (address === undefined) {
    report.add("missing-key", tree.place, `\`${child(label, "url")}\` is missing`, "write `url: …`");
    return null;
  }
  const retry = tree.kind === "map" ? tree.entries.find((entry) => entry.key === "retry") : undefined;
  if (retry !== undefined)
    report.add("unknown-key", retry.keyPlace, `\`${label}.retry\` has no meaning here`, NO_RETRY);
  return webAddress(address, child(label, "url"), report) === null
    ? null
    : { kind: "webhook", name, options: options as JsonObject };
}

function readKind(kind: ChannelKind, name: string, tree: Tree, label: string, report: Report): ChannelConfig | null {
  switch (kind) {
    case "smtp":
      return readSmtp(name, tree, label, report);
    case "ntfy": {
      const fields = fieldsOf(tree, label, SHAPES.ntfy, ["url"], report);
      return fields && { kind, name, url: valuesOf<"ntfy">(fields).url, token: fields.values.token };
    }
    case "slack":
    case "discord":
    case "alertmanager": {
      const fields = fieldsOf(tree, label, SHAPES[kind], ["url"], report);
      return fields && { kind, name, url: valuesOf<"slack">(fields).url };
    }
    case "telegram": {
      const fields = fieldsOf(tree, label, SHAPES.telegram, ["token", "chat_id"], report);
      if (fields === null) return null;
      const { token: bot, chat_id } = valuesOf<"telegram">(fields);
      return { kind, name, url: fields.values.url ?? TELEGRAM, token: bot, chatId: chat_id };
    }
    case "pagerduty": {
      const fields = fieldsOf(tree, label, SHAPES.pagerduty, ["routing_key"], report);
      if (fields === null) return null;
      return { kind, name, url: fields.values.url ?? PAGERDUTY, routingKey: valuesOf<"pagerduty">(fields).routing_key };
    }
    case "webhook":
      return readWebhook(name, tree, label, report);
  }
}

const requiredOf = (kind: keyof typeof CHANNEL_KEYS): readonly string[] =>
  Object.entries(CHANNEL_KEYS[kind]).flatMap(([name, { default: fallback }]) => (fallback === "required" ? name : []));

/** For an editor: a map, or an address where the kind has a short form. */
function schemaOfKind(kind: ChannelKind) {
  if (kind === "webhook") return { anyOf: [{ type: "object", required: ["url"] }, webAddress.schema] };
  const map = { ...schemaOf(SHAPES[kind]), type: "object", required: requiredOf(kind) };
  if (!SHORT.includes(kind)) return map;
  return { anyOf: [map, kind === "ntfy" ? topic.schema : webAddress.schema] };
}

const CHANNEL = {
  type: "object",
  properties: Object.fromEntries(CHANNEL_KINDS.map((kind) => [kind, schemaOfKind(kind)])),
  additionalProperties: false,
  minProperties: 1,
  maxProperties: 1,
};

const isKind = (word: string): word is ChannelKind => (CHANNEL_KINDS as readonly string[]).includes(word);
const EXAMPLE = "write `phone: { ntfy: https://ntfy.sh/my-host }`";

export const readChannels = named<ChannelConfig>(CHANNEL, (name, tree, label, report) => {
  if (tree.kind === "broken") return null;
  if (tree.kind !== "map") {
    report.add("wrong-type", tree.place, `\`${label}\` must be a map with the kind of the channel`, EXAMPLE);
    return null;
  }
  const kinds = Object.fromEntries(
    CHANNEL_KINDS.map((kind) => [
      kind,
      reader<ChannelConfig>({}, (value, place) => readKind(kind, name, inFull(kind, value), place, report)),
    ]),
  );
  const fields = readFields(tree, label, kinds, report);
  const given = tree.entries.filter((entry) => isKind(entry.key));
  if (tree.entries.length === 0) {
    report.add(
      "missing-key",
      tree.place,
      `\`${label}\` names no kind`,
      `one of ${CHANNEL_KINDS.join(", ")}: ${EXAMPLE}`,
    );
  }
  for (const { keyPlace } of given.slice(1)) {
    report.add("conflict", keyPlace, `\`${label}\` names more than one kind`, "give each kind a channel of its own");
  }
  const [kind] = given;
  return given.length !== 1 || fields === null || kind === undefined ? null : (fields.values[kind.key] ?? null);
});

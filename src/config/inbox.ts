/** Owns `senses.NAME.inbox`: what a sense lets in from outside, and the reflex that runs the sense when something comes in. */
import { formatSize } from "../base/size.ts";
import {
  type InboxConfig,
  isWatching,
  NO_CLOCK,
  NO_WORDS,
  type ReflexConfig,
  type SenseConfig,
} from "../model/config.ts";
import { MAX_VALUE_BYTES } from "../model/value.ts";
import { DEFAULT_INBOX_BYTES, DEFAULT_INBOX_MAX } from "./defaults.ts";
import { integer, key, type Reader, reader, readFields, schemaOf, shapeOf, text } from "./fields.ts";
import { size } from "./quantities.ts";
import type { WrittenReflex } from "./reflexes.ts";
import type { Report } from "./report.ts";
import { shown } from "./tree.ts";

/** An inbox that holds no largest item would refuse such an item for ever. */
const readBytes: Reader<number> = reader(size.schema, (tree, label, report) => {
  const bytes = size(tree, label, report);
  if (bytes === null || bytes >= MAX_VALUE_BYTES) return bytes;
  report.expected("bad-size", tree, label, "at least 64kb, as one item may hold", null);
  return null;
});

export const INBOX_KEYS = {
  max: key(
    integer(1, 1_000_000),
    `\`${DEFAULT_INBOX_MAX}\``,
    "how many items wait at most, dead ones included; more is refused",
  ),
  bytes: key(
    readBytes,
    `\`${formatSize(DEFAULT_INBOX_BYTES).replace(".0 MB", "mb")}\``,
    "how large their bodies may be together; more is refused",
  ),
  secret: key(
    text("the secret as text"),
    "none",
    "what senders over TCP sign with, in place of the token: Standard Webhooks, or GitHub",
  ),
};

const INBOX = shapeOf(INBOX_KEYS);

/** `inbox:` and `inbox: {}` are an inbox with the defaults. */
export const readInbox: Reader<InboxConfig> = reader(
  { ...schemaOf(INBOX), type: ["object", "null"] },
  (tree, label, report) => {
    const fields = readFields(tree, label, INBOX, report);
    return fields && { max: fields.values.max, bytes: fields.values.bytes, secret: fields.values.secret };
  },
);

const reflexOf = (sense: string): ReflexConfig => ({
  kind: "sense",
  name: `${sense}#inbox`,
  sense,
  on: [],
  ...NO_WORDS,
  ...NO_CLOCK,
  watch: [{ kind: "inbox" }],
  deliver: null,
});

/** Each sense with an inbox has a reflex that runs the sense when an item comes in: a written one, or one called `NAME#inbox`. */
export function inboxReflexes(
  senses: ReadonlyMap<string, SenseConfig>,
  reflexes: readonly ReflexConfig[],
): readonly ReflexConfig[] {
  const written = new Set(
    reflexes.flatMap((reflex) => (reflex.kind === "sense" && isWatching(reflex, "inbox") ? [reflex.sense] : [])),
  );
  return [...senses.values()].flatMap(({ name, inbox }) =>
    inbox === null || written.has(name) ? [] : [reflexOf(name)],
  );
}

/** A sense has one cursor for what is delivered to it. */
export function checkDelivered(reflexes: readonly WrittenReflex[], report: Report): void {
  const delivered = new Set<string>();
  for (const { config, label, place, target } of reflexes) {
    if (config.kind !== "sense" || config.deliver !== true || config.on.length === 0) continue;
    const message = `\`${label}\` delivers to \`${shown(target.name)}\`, as another reflex does`;
    if (delivered.has(target.name)) report.add("conflict", place, message, "put all senses into the `on` of one");
    delivered.add(target.name);
  }
}

/** A reflex that waits for items of a sense without an inbox waits for ever. */
export function checkInboxes(
  reflexes: readonly WrittenReflex[],
  senses: ReadonlyMap<string, SenseConfig>,
  report: Report,
): void {
  for (const { config, label, place, target } of reflexes) {
    if (!isWatching(config, "inbox") || senses.get(target.name)?.inbox !== null) continue;
    const message = `\`${label}.watch\` waits for items, and the sense \`${shown(target.name)}\` has no inbox`;
    report.add("conflict", place, message, `write \`inbox: {}\` under \`senses.${shown(target.name)}\``);
  }
}

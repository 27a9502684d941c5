/**
 * The tables of keys in docs/config.md, from the parser's own: `bun scripts/config-keys.ts` writes them, a test holds the
 * page to them. The other keys of reflexes are prose, and stand in the page alone.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CHANNEL_KEYS } from "../src/config/channels.ts";
import type { Keys } from "../src/config/fields.ts";
import { FLEET_KEYS } from "../src/config/fleet.ts";
import { INBOX_KEYS } from "../src/config/inbox.ts";
import { INCIDENT_KEYS } from "../src/config/incident.ts";
import { HTTP_KEYS, PUSH_KEYS } from "../src/config/listen.ts";
import { NEEDS_KEYS } from "../src/config/needs.ts";
import { OTLP_KEYS } from "../src/config/otlp.ts";
import { SENSE_KEYS } from "../src/config/senses.ts";
import { DAEMON_KEYS, RETENTION_KEYS } from "../src/config/settings.ts";
import { WORKFLOW_KEYS } from "../src/config/workflows.ts";

const INCLUDE = "| `include` | | `[conf.d/*.yaml]`, merged in name order; a name given twice is an error |";

const rows = (keys: Keys, prefix = ""): string[] =>
  Object.entries(keys).map(([name, { default: fallback, doc }]) => `| \`${prefix}${name}\` | ${fallback} | ${doc} |`);

const table = (lines: readonly string[]): string => ["| key | default | |", "|---|---|---|", ...lines].join("\n");

/** By the name in the marks around it. */
const TABLES: Readonly<Record<string, string>> = {
  daemon: table([
    ...rows(DAEMON_KEYS),
    ...rows(RETENTION_KEYS, "retention."),
    ...rows(HTTP_KEYS, "http."),
    ...rows(PUSH_KEYS, "push."),
    ...rows(FLEET_KEYS, "fleet."),
    ...rows(OTLP_KEYS, "otlp."),
    INCLUDE,
  ]),
  senses: table([...rows(SENSE_KEYS), ...rows(INBOX_KEYS, "inbox.")]),
  incident: table(rows(INCIDENT_KEYS, "incident.")),
  workflows: table(rows(WORKFLOW_KEYS)),
  needs: table(rows(NEEDS_KEYS, "needs.")),
  channels: table(Object.entries(CHANNEL_KEYS).flatMap(([kind, keys]) => rows(keys, `${kind}.`))),
};

/** `page` with each table between its two marks. Throws when a mark is missing. */
export function withKeys(page: string): string {
  return Object.entries(TABLES).reduce((text, [name, lines]) => {
    const [begin, end] = [`<!-- keys of ${name}: written by scripts/config-keys.ts -->`, `<!-- /keys of ${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`docs/config.md has lost the marks ${begin} and ${end}`);
    return `${text.slice(0, from + begin.length)}\n\n${lines}\n\n${text.slice(to)}`;
  }, page);
}

if (import.meta.main) {
  const file = join(dirname(import.meta.dir), "docs/config.md");
  writeFileSync(file, withKeys(readFileSync(file, "utf8")));
}

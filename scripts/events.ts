/**
 * The table of events in docs/operations.md, from `src/model/events.ts`: `bun scripts/events.ts` writes it, a test holds
 * the page to it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { EventKind } from "../src/model/event-kind.ts";
import { EVENTS } from "../src/model/events.ts";

const BEGIN = "<!-- events: written by scripts/events.ts -->";
const END = "<!-- /events -->";

const dataOf = ({ data }: EventKind): string => {
  if (data === null) return "";
  return typeof data === "string"
    ? data
    : Object.keys(data)
        .map((key) => `\`${key}\``)
        .join(", ");
};

const rowOf = (name: string, kind: EventKind): string =>
  `| \`${name}\` | ${kind.levels.join(", ")} | ${kind.sentence} | ${dataOf(kind)} |`;

/** The table as Markdown. */
export const eventsTable = (): string =>
  [
    "| event | level | it means | `data` |",
    "|---|---|---|---|",
    ...Object.entries(EVENTS).map(([name, kind]) => rowOf(name, kind)),
  ].join("\n");

/** `page` with the table between its two marks. Throws when a mark is missing. */
export function withEvents(page: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`docs/operations.md has lost the marks ${BEGIN} and ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n${eventsTable()}\n${page.slice(end)}`;
}

if (import.meta.main) {
  const file = join(dirname(import.meta.dir), "docs/operations.md");
  writeFileSync(file, withEvents(readFileSync(file, "utf8")));
}

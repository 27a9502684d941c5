/** Owns `nerve library`: lists what is built in, and shows how each built-in is used. */
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import { defineCommand } from "../frame/command.ts";
import { EXIT } from "../frame/outcome.ts";
import { type BuiltIn, builtInsNamed, LIBRARY } from "../library/built-in.ts";
import { pageOf, summaryOf } from "../library/page.ts";
import { renderPage } from "../library/text.ts";
import { print, renderLine, type Screen, span, stdoutScreen, wrapLines } from "../screen/terminal.ts";

export const command = defineCommand({
  details:
    "With a name: what it observes or does, its options with types and defaults, what its payload holds, what it needs of the\nhost, its tables and an example to paste. Where a sense and a workflow share a name both are shown; `sense:NAME` and\n`workflow:NAME` leave no doubt. Needs neither a config nor a daemon.",
  arguments: [{ name: "name", required: false }],
  options: {},
  examples: [
    ["nerve library", "everything that is built in, one line each"],
    ["nerve library disk-usage", "how this one is used"],
    ["nerve library disk-usage --json | jq -r '.payload[].name'", "the fields that a `when` can ask for"],
  ],
  async run({ arguments: [name], json }) {
    const screen = stdoutScreen();
    if (name === undefined) {
      if (json) for (const one of LIBRARY) print(safeJson({ kind: one.kind, name: one.name, summary: summaryOf(one) }));
      else print(overview(screen));
      return ok(EXIT.done);
    }
    const found = builtInsNamed(name);
    if (!found.ok) return found;
    const pages = found.value.map(pageOf);
    if (json) for (const page of pages) print(safeJson(page));
    else print(pages.map((page) => renderPage(page, screen)).join("\n\n"));
    return ok(EXIT.done);
  },
});

function overview(screen: Screen): string {
  const width = Math.max(...LIBRARY.map(({ name }) => name.length)) + 3;
  const line = (one: BuiltIn): string[] =>
    wrapLines(
      [span(`  ${one.name.padEnd(width)}`, "cyan"), span(summaryOf(one))],
      [span(" ".repeat(width + 2))],
      screen,
    );
  const section = (title: string, kind: BuiltIn["kind"]): string[] => [
    renderLine([span(title, "bold")], screen),
    ...LIBRARY.filter((one) => one.kind === kind).flatMap(line),
    "",
  ];
  return [
    ...section("Senses", "sense"),
    ...section("Workflows", "workflow"),
    "`nerve library NAME` says how one is used, `nerve add NAME` puts it into nerve.yaml.",
  ].join("\n");
}

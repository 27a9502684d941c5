/** Owns the text of `--help`, made from a command's own data, and the overview of all commands. */
import { COMMON, type Command, type Options } from "./frame/command.ts";
import { paint, type Screen } from "./screen/terminal.ts";
import { SECTIONS, type Section, type Verb } from "./verb.ts";
import { VERBS } from "./verbs.ts";

const INDENT = "  ";

function columns(rows: readonly (readonly [string, string])[], atLeast = 0): string[] {
  const width = Math.max(atLeast, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${INDENT}${left.padEnd(width)}   ${right}`.trimEnd());
}

function optionRows(options: Options): [string, string][] {
  return Object.entries(options).flatMap(([name, option]): [string, string][] => {
    if (option.help === null) return [];
    const short = option.short === null ? "    " : `-${option.short}, `;
    const value = option.kind === "flag" ? "" : ` ${option.value}`;
    return [[`${short}--${name}${value}`, option.help + (option.kind === "texts" ? " (repeatable)" : "")]];
  });
}

export function commandHelp({ name, summary }: Verb, command: Command, screen: Screen): string {
  const title = (text: string): string => paint(text, "bold", screen.colours);
  const places = command.arguments.map((argument) => (argument.required ? `<${argument.name}>` : `[${argument.name}]`));
  const isCommandLast = command.arguments.at(-1)?.name === "command…";
  const usage = ["nerve", name, ...(isCommandLast ? ["[options]", ...places] : [...places, "[options]"])].join(" ");
  const examples = command.examples.flatMap(([line, does]) => [`${INDENT}${line}`, `${INDENT}    ${does}`]);
  return [
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    "",
    `${title("Usage:")} ${usage}`,
    ...(command.details === null ? [] : ["", command.details]),
    "",
    title("Options:"),
    ...columns(optionRows({ ...command.options, ...COMMON })),
    "",
    title("Examples:"),
    ...examples,
  ].join("\n");
}

/** The overview with every section, or without the section `keep`. */
export function overview(screen: Screen, all: boolean): string {
  const title = (text: string): string => paint(text, "bold", screen.colours);
  const width = Math.max(...VERBS.map(({ usage }) => usage.length));
  const section = (of: Section): string[] => {
    const rows = VERBS.filter((verb) => verb.section === of).map(({ usage, summary }) => [usage, summary] as const);
    return ["", title(SECTIONS[of]), ...columns(rows, width)];
  };
  const kept = VERBS.filter((verb) => verb.section === "keep").map(({ name }) => name);
  return [
    "nerve watches one host: senses observe, reflexes decide, workflows act; all of it is kept in SQLite.",
    "",
    `${title("Usage:")} nerve <config.yaml>            run the daemon`,
    "       nerve <command> [options]      see below; each has --help",
    ...(["begin", "see", "act"] as const).flatMap(section),
    ...(all ? section("keep") : ["", `For upkeep: ${kept.join(", ")}.`, "`nerve help --all` says what each does."]),
    "",
    "Every command takes -c FILE (else $NERVE_CONFIG, else ./nerve.yaml) and --json.",
    "`nerve --ssh user@host <command>` runs the command on another host.",
  ].join("\n");
}

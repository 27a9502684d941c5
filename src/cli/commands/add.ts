/** Owns `nerve add`: puts an entry for a built-in into nerve.yaml, or copies the built-in out so that a person can change it. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { safeJson } from "../../base/escape.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { modulesFolder } from "../../config/module-folder.ts";
import type { NerveConfig } from "../../model/config.ts";
import { problem } from "../../model/problem.ts";
import { defineCommand, flag } from "../frame/command.ts";
import { EXIT, type Failure, fail } from "../frame/outcome.ts";
import { type BuiltIn, builtInsNamed } from "../library/built-in.ts";
import { copyOut } from "../library/copy.ts";
import { type Addition, withAddition } from "../library/edit.ts";
import { type Starter, starterOf } from "../library/starters.ts";
import { configOption, loadConfig } from "../place/place.ts";
import { print } from "../screen/terminal.ts";

export const command = defineCommand({
  details:
    "Your text, comments and layout stay as they are. A sense comes with a reflex that runs it; a workflow with one that\nstarts it, where a sense that is configured gives a sensible reason. A bare name is the sense if there is one;\n`sense:NAME` and `workflow:NAME` leave no doubt.\n\nWith --copy its sources, schema, migrations and README are copied into senses/NAME or workflows/NAME beside nerve.yaml:\nfrom then on it is a module of your own, which runs as it is and can be changed. Its data is kept.",
  arguments: [{ name: "name", required: true }],
  options: { copy: flag("copy it out as a module of one's own too") },
  examples: [
    ["nerve add disk-usage", "watch a file system, beginning with /"],
    ["nerve add workflow:exec", "run a program when something happens"],
    ["nerve add load --copy", "begin a sense of one's own with this one"],
  ],
  async run({ arguments: [name = ""], options, config: given, json }) {
    const found = builtInsNamed(name);
    if (!found.ok) return found;
    const [builtIn] = found.value;
    const config = loadConfig(given);
    if (!config.ok) return config;
    const there = placeOf(builtIn, config.value);
    const folder = join(modulesFolder(config.value, builtIn.kind), builtIn.name);
    const isIt = config.value[`${builtIn.kind}s`].get(builtIn.name)?.use === builtIn.name;
    const refused = options.copy && isIt ? null : refuseTwice(builtIn, there);
    if (refused !== null) return refused;
    const files = options.copy ? copyOut(builtIn, folder) : ok([]);
    if (!files.ok) return files;
    const starter = there === null ? starterOf(builtIn, config.value) : null;
    const written = starter === null ? ok(null) : writeInto(config.value.file, builtIn, starter);
    if (!written.ok) {
      if (options.copy) rmSync(folder, { recursive: true });
      return written;
    }
    const { kind } = builtIn;
    const done: Done = { kind, name: builtIn.name, file: config.value.file, starter, files: files.value };
    if (json) print(safeJson(asJson(done)));
    else print(asText(done, configOption(config.value.file, given)));
    return ok(EXIT.done);
  },
});

interface Done extends Pick<BuiltIn, "kind" | "name"> {
  readonly file: string;
  /** The text that was written into nerve.yaml; null where the entry was there already. */
  readonly starter: Starter | null;
  /** Paths of the files that were copied out. */
  readonly files: readonly string[];
}

/** `file:line` of the entry in nerve.yaml; "" where another file has the entry; null where no file has it. */
function placeOf({ kind, name }: BuiltIn, config: NerveConfig): string | null {
  if (!config[`${kind}s`].has(name)) return null;
  const lines = readFileSync(config.file, "utf8").split("\n");
  const at = lines.findIndex((line) => new RegExp(`(?:^|[\\s{,])["']?${name}["']?\\s*:`).test(line));
  return at < 0 ? "" : `${config.file}:${at + 1}`;
}

function refuseTwice({ kind, name }: BuiltIn, there: string | null): ReturnType<typeof fail> | null {
  if (there === null) return null;
  const where = there === "" ? "the configuration" : there;
  const hint = `another one needs a name of its own: \`my-${name}: { use: ${name} }\``;
  return fail(EXIT.finding, problem("already-there", `the ${kind} \`${name}\` is in ${where} already`, hint));
}

function writeInto(file: string, { kind, name }: BuiltIn, { entry, reflex }: Starter): Result<null, Failure> {
  const additions: Addition[] = [{ section: `${kind}s`, name, entry }];
  if (reflex !== null) additions.push({ section: "reflexes", name: null, entry: reflex });
  let text: string | null = readFileSync(file, "utf8");
  for (const addition of additions) text = text === null ? null : withAddition(text, addition);
  if (text === null) return fail(EXIT.finding, noPlace(file, additions));
  try {
    writeFileSync(file, text);
  } catch (error) {
    return err({ code: EXIT.finding, problems: [problem("output", (error as Error).message, null, file)] });
  }
  return ok(null);
}

const noPlace = (file: string, additions: readonly Addition[]) => {
  const lines = additions.map(({ section, name, entry }) => `${section}: ${name === null ? "" : `${name}: `}${entry}`);
  return problem("no-place", "the layout of this file leaves no safe place for it", `write\n${lines.join("\n")}`, file);
};

const asJson = ({ kind, name, file, starter, files }: Done) => ({
  kind,
  name,
  file,
  entry: starter?.entry ?? null,
  reflex: starter?.reflex ?? null,
  files,
});

function asText({ kind, name, file, starter, files }: Done, here: string): string {
  const added = starter === null ? [] : [`added to ${file}`, `  ${kind}s: ${name}: ${starter.entry}`];
  const reflex = starter?.reflex == null ? [] : [`  reflexes: ${starter.reflex}`];
  const copied = files.length === 0 ? [] : ["copied", ...files.map((path) => `  ${path}`)];
  const byHand =
    starter !== null && kind === "workflow" && starter.reflex === null
      ? ["no reflex starts it yet: write one, or start it by hand"]
      : [];
  const next = kind === "sense" ? `nerve once ${name}${here}` : `nerve check${here}`;
  return [
    ...added,
    ...reflex,
    ...copied,
    ...byHand,
    `next: ${next}, then nerve reload${here} where a daemon runs`,
  ].join("\n");
}

/**
 * Owns `nerve init`: makes a folder that watches this host, with the files by which an editor knows nerve. Needs no network,
 * and changes no existing file.
 */
import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { safeJson } from "../../base/escape.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { checkOwnership } from "../../config/file-safety.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { defineCommand, text } from "../frame/command.ts";
import { EXIT, fail, usageError } from "../frame/outcome.ts";
import { readKit } from "../kit/kit.ts";
import { NERVE_FOLDER, stateOf, writeNerveFolder } from "../kit/nerve-folder.ts";
import { DATA, SCHEMA_LINE, SETTINGS, starterFiles } from "../kit/starter.ts";
import { shellWord } from "../screen/shell-word.ts";
import { print } from "../screen/terminal.ts";

const CONFIG = "nerve.yaml";

const hostHas = () => ({ pressure: existsSync("/proc/pressure"), systemd: existsSync("/run/systemd/system") });

export const command = defineCommand({
  details: `In a folder without ${CONFIG}: one that watches this host, senses/hello and workflows/note to change, tsconfig.json,\n.gitignore and ${NERVE_FOLDER}/, which editors and \`nerve check\` know types and keys by. What is there stays as it is. Run\nagain, with a newer nerve, it refreshes ${NERVE_FOLDER}/ and nothing else. It needs no network.`,
  arguments: [{ name: "dir", required: false }],
  options: { data: text("DIR", `where the new config keeps its data (default ${DATA})`) },
  examples: [
    ["nerve init", "in this folder"],
    ["nerve init /etc/nerve && nerve /etc/nerve/nerve.yaml", "watch this host, now"],
    ["nerve init /etc/nerve --data /var/lib/nerve", "as a service keeps its data"],
  ],
  async run({ arguments: [given], options, config, json }) {
    if (config !== null) return usageError("`init` makes a config, and is given a folder", "nerve init DIR");
    const folder = resolve(given ?? ".");
    // nerve refuses to read files that a group or others could write. The other bits of the umask stay as they are.
    process.umask((process.umask() | 0o022) & 0o077);
    const made = await initialise(folder, options.data ?? DATA);
    if (!made.ok) return fail(EXIT.finding, made.error);
    if (json) print(safeJson({ folder, written: made.value.written, kept: made.value.kept }));
    else print(wordsOf(folder, given ?? null, made.value));
    return ok(EXIT.done);
  },
});

interface Made {
  /** Paths in the folder, in the order of writing. */
  readonly written: readonly string[];
  /** Paths of files that existed before. */
  readonly kept: readonly string[];
  /** True when only `.nerve/` was made anew. */
  readonly isRefresh: boolean;
}

async function initialise(folder: string, data: string): Promise<Result<Made, Problem>> {
  const kit = await readKit();
  try {
    mkdirSync(folder, { recursive: true });
    const unsafe = checkOwnership(folder);
    if (unsafe !== null) return err(unsafe);
    const isRefresh = stateOf(folder).kind !== "none" && existsSync(join(folder, CONFIG));
    const nerveFolder = writeNerveFolder(folder, kit);
    if (!nerveFolder.ok) return nerveFolder;
    if (isRefresh) return ok({ written: [`${NERVE_FOLDER}/`], kept: [], isRefresh });
    const starter = isThere(join(folder, CONFIG)) ? {} : starterFiles(hostHas(), data);
    const files = Object.entries({ ...starter, ...SETTINGS });
    const kept = files.filter(([path]) => isThere(join(folder, path))).map(([path]) => path);
    const missing = files.filter(([path]) => !kept.includes(path));
    for (const [path, content] of missing) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content, { flag: "wx" });
    }
    return ok({ written: [...missing.map(([path]) => path), `${NERVE_FOLDER}/`], kept, isRefresh });
  } catch (error) {
    return err(refusal(folder, error));
  }
}

/** A link to nothing exists too: its owner decides about the link. */
const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "its file system is read-only",
  ENOSPC: "its file system is full",
  EDQUOT: "this user's quota is used up",
  ENOTDIR: "a part of its path is no folder",
  EEXIST: "there is a file of this name, and no folder",
};

function refusal(folder: string, error: unknown): Problem {
  const { code = "", message } = error as NodeJS.ErrnoException;
  const reason = REASONS[code] ?? message;
  return problem(
    "cannot-write",
    `nothing can be made in ${folder}: ${reason}`,
    "name another folder: nerve init DIR",
    folder,
  );
}

const ABOUT: Readonly<Record<string, string>> = {
  [CONFIG]: "watches this host",
  "senses/hello/index.ts": "a sense of your own",
  "workflows/note/index.ts": "a workflow of your own",
  "tsconfig.json": "for your editor",
  ".gitignore": "keeps data and types out of git",
  [`${NERVE_FOLDER}/`]: "types and schema, for your editor and for `nerve check`",
};

function wordsOf(folder: string, given: string | null, { written, kept, isRefresh }: Made): string {
  const width = Math.max(...written.map(({ length }) => length)) + 2;
  const lines = written.map((path) => `  ${path.padEnd(width)}${ABOUT[path] ?? ""}`);
  const title = isRefresh ? "refreshed" : "made";
  const advice = isRefresh ? [] : adviceOn(folder, kept);
  return [
    `${title} in ${folder}:`,
    ...lines,
    ...(advice.length === 0 ? [] : ["", ...advice]),
    "",
    "next:",
    ...nextCommands(given).map(([line, does]) => `  ${line.padEnd(18)}${does}`.trimEnd()),
  ].join("\n");
}

/** Settings that an editor lacks and that only the user's own files can give. */
function adviceOn(folder: string, kept: readonly string[]): string[] {
  const lacks = (path: string, text: string): boolean => !readFileSync(join(folder, path), "utf8").includes(text);
  return [
    ...(existsSync(join(folder, CONFIG)) && lacks(CONFIG, "nerve.schema.json")
      ? [`${CONFIG} was there: an editor knows its keys by this first line: ${SCHEMA_LINE}`]
      : []),
    ...(kept.includes("tsconfig.json") && lacks("tsconfig.json", "/.nerve/tsconfig.json")
      ? [`tsconfig.json was there: an editor knows the types by \`"extends": "./.nerve/tsconfig.json"\` in it`]
      : []),
    ...(kept.includes(".gitignore") && lacks(".gitignore", ".nerve")
      ? [".gitignore was there: /data/ and /.nerve/ belong in it"]
      : []),
  ];
}

function nextCommands(given: string | null): readonly (readonly [string, string])[] {
  const isElsewhere = given !== null && relative(".", given) !== "";
  const enter = isElsewhere ? [[`cd ${shellWord(given)}`, ""] as const] : [];
  return [
    ...enter,
    [`nerve ${CONFIG}`, "watch: every signal is printed"],
    ["nerve check", "after an edit: types, rules, options"],
    ["nerve reload", "let the running nerve take the edit over"],
  ];
}

/**
 * Owns `nerve __complete WORDS…`: prints the candidates for the end of a command line, one a line. A shell asks at every
 * press of the key, so only the needed parts are loaded: the readable part of the config without its patterns, and the
 * store for ids alone.
 */
import { COMMON, type Command, type Options } from "../frame/command.ts";
import { FILES, TAB } from "./scripts.ts";
import { type Candidate, type What, wordsFor } from "./words.ts";

/** The part of a verb that completion needs. */
export interface CompletedVerb {
  readonly name: string;
  readonly summary: string;
  load(): Promise<{ readonly command: Command }>;
}

export interface Verbs {
  readonly all: readonly CompletedVerb[];
  /** Finds a verb by its name or its former name. */
  named(word: string): CompletedVerb | null;
}

/** The kinds of a verb's arguments, in their order. The last argument may be repeated. */
const ARGUMENTS: Readonly<Record<string, readonly What[]>> = {
  start: ["file"],
  check: ["file"],
  init: ["file"],
  library: ["built-in"],
  add: ["built-in"],
  once: ["workflow or sense", "nothing"],
  signals: ["sense"],
  logs: ["sense"],
  runs: ["workflow"],
  incidents: ["reflex"],
  ack: ["open incident"],
  resolve: ["open incident"],
  show: ["run"],
  why: ["what may be wrong"],
  explain: ["reflex"],
  backtest: ["reflex"],
  push: ["sense", "nothing"],
  inbox: ["sense", "nothing"],
  run: ["workflow or sense", "nothing"],
  cancel: ["active run"],
  retry: ["ended run"],
  silence: ["reflex"],
  notify: ["channel", "nothing"],
  enable: ["sense or reflex"],
  disable: ["sense or reflex"],
  archive: ["archive"],
  fleet: ["fleet", "nothing"],
  sql: ["nothing"],
  backup: ["file"],
  restore: ["file"],
  upgrade: ["file"],
  completion: ["shell"],
};

/** The kinds of the values of options. An option has the same kind with every verb. */
const VALUES: Readonly<Record<string, What>> = {
  config: "file",
  against: "file",
  input: "file",
  inbox: "file",
  sense: "sense",
  workflow: "workflow",
  reflex: "reflex",
  state: "state",
  level: "level",
  source: "source",
};

/** The lines to print. */
export async function complete(words: readonly string[], verbs: Verbs): Promise<string[]> {
  const current = words.at(-1) ?? "";
  const found = await candidates(words.slice(0, -1), current, verbs);
  return found
    .filter(({ word }) => word === FILES || word.startsWith(current))
    .map(({ word, about }) => (about === "" ? word : `${word}${TAB}${about}`));
}

async function candidates(before: readonly string[], current: string, verbs: Verbs): Promise<readonly Candidate[]> {
  const typed = read(before, COMMON);
  const [name] = typed.positionals;
  const verb = name === undefined ? null : verbs.named(name);
  if (typed.awaits !== null && verb === null) return wordsFor(VALUES[typed.awaits] ?? "nothing", typed.config);
  if (name === undefined) return current.startsWith("-") ? ofOptions(COMMON) : [...summaries(verbs), FILE];
  if (name === "help") return summaries(verbs);
  if (verb === null) return [];
  const { command } = await verb.load();
  return withinVerb(verb, command, before.slice(before.indexOf(name) + 1), typed.config, current);
}

async function withinVerb(
  verb: CompletedVerb,
  command: Command,
  before: readonly string[],
  config: string | null,
  current: string,
): Promise<readonly Candidate[]> {
  const options: Options = { ...command.options, ...COMMON };
  const typed = read(before, options);
  const from = typed.config ?? config;
  if (typed.awaits !== null) {
    const own = verb.name === "incidents" && typed.awaits === "state" ? "incident state" : null;
    return wordsFor(own ?? VALUES[typed.awaits] ?? "nothing", from);
  }
  if (current.startsWith("-")) return ofOptions(options);
  const kinds = ARGUMENTS[verb.name] ?? [];
  const isRepeated = command.arguments.at(-1)?.name.endsWith("…") ?? false;
  const kind = kinds[typed.positionals.length] ?? (isRepeated ? kinds.at(-1) : undefined);
  return kind === undefined ? [] : wordsFor(kind, from);
}

const FILE: Candidate = { word: FILES, about: "" };

const summaries = ({ all }: Verbs): Candidate[] => all.map(({ name, summary }) => ({ word: name, about: summary }));

const ofOptions = (options: Options): Candidate[] =>
  Object.entries(options).flatMap(([name, { help }]) => (help === null ? [] : [{ word: `--${name}`, about: help }]));

interface Typed {
  readonly positionals: readonly string[];
  /** The option whose value comes next. Null where an argument comes next. */
  readonly awaits: string | null;
  /** The value of `-c`, null without `-c`. */
  readonly config: string | null;
}

/** Reads the words before the cursor. A word that makes no sense yet is skipped, because somebody is still typing. */
function read(words: readonly string[], options: Options): Typed {
  const positionals: string[] = [];
  let awaits: string | null = null;
  let config: string | null = null;
  for (const word of words) {
    if (awaits !== null) {
      if (awaits === "config") config = word;
      awaits = null;
    } else if (word.startsWith("-") && word !== "-") {
      const [given = "", value = null] = word.split(/=(.*)/s);
      const name = given.startsWith("--") ? given.slice(2) : shortNamed(given.slice(1), options);
      if (name === "config" && value !== null) config = value;
      if (value === null && (options[name]?.kind ?? "flag") !== "flag") awaits = name;
    } else positionals.push(word);
  }
  return { positionals, awaits, config };
}

const shortNamed = (letter: string, options: Options): string =>
  Object.entries(options).find(([, { short }]) => short === letter)?.[0] ?? "";

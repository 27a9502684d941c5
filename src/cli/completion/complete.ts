/**
 * `nerve __complete WORDS…`: what fits at the end of a command line, a candidate a line. A shell asks at every press of the key, so
 * only what is asked for is loaded: of the config what can be read of it, without its patterns, and the store for ids alone.
 */
import { COMMON, type Command, type Options } from "../frame/command.ts";
import { FILES, TAB } from "./scripts.ts";
import { type Candidate, type What, wordsFor } from "./words.ts";

/** Of a verb what is needed here. */
export interface CompletedVerb {
  readonly name: string;
  readonly summary: string;
  load(): Promise<{ readonly command: Command }>;
}

export interface Verbs {
  readonly all: readonly CompletedVerb[];
  /** By its name or its former one. */
  named(word: string): CompletedVerb | null;
}

/** What the arguments of a verb are, in their order; the last one may come again. */
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
  explain: ["reflex"],
  backtest: ["reflex"],
  run: ["workflow or sense", "nothing"],
  cancel: ["active run"],
  retry: ["ended run"],
  silence: ["reflex"],
  notify: ["channel", "nothing"],
  enable: ["sense or reflex"],
  disable: ["sense or reflex"],
  archive: ["archive"],
  backup: ["file"],
  restore: ["file"],
  upgrade: ["file"],
  completion: ["shell"],
};

/** What the values of options are, whatever the verb. */
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
  if (typed.awaits !== null) return wordsFor(VALUES[typed.awaits] ?? "nothing", from);
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
  /** The option whose value comes next, or null. */
  readonly awaits: string | null;
  /** `-c`, when given. */
  readonly config: string | null;
}

/** What stands before the cursor. What cannot be understood is passed over: somebody is still typing. */
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

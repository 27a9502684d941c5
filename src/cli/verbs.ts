/**
 * Owns the list of verbs, each loaded only when it is asked for, their former names, and the verbs that a later build
 * brings.
 */
import type { Command } from "./frame/command.ts";

/** The sections in the order of a person's first days. `--help` shows all but `keep`. */
export const SECTIONS = { begin: "Begin", see: "See", act: "Act", keep: "Keep" } as const;

export type Section = keyof typeof SECTIONS;

export interface Verb {
  readonly name: string;
  readonly section: Section;
  readonly usage: string;
  /** One sentence that begins lower-case and ends without a stop: for the overview and for the verb's own help. */
  readonly summary: string;
  load(): Promise<{ readonly command: Command }>;
}

/** Only the command knows the types of its options; here all commands have one type. */
const any = (module: Promise<{ readonly command: unknown }>) => module as Promise<{ readonly command: Command }>;

export const VERBS: readonly Verb[] = [
  {
    name: "init",
    section: "begin",
    usage: "init [dir]",
    summary: "a config that watches this host, a sense and a workflow of your own, types and schema for your editor",
    load: () => any(import("./commands/init.ts")),
  },
  {
    name: "start",
    section: "begin",
    usage: "start",
    summary: "run the daemon in the foreground",
    load: () => any(import("./commands/start.ts")),
  },
  {
    name: "library",
    section: "begin",
    usage: "library [name]",
    summary: "what is built in: senses and workflows, their options, payload, needs and an example",
    load: () => any(import("./commands/library.ts")),
  },
  {
    name: "add",
    section: "begin",
    usage: "add <name>",
    summary: "put something built in into nerve.yaml, or copy it out as a sense of one's own",
    load: () => any(import("./commands/add.ts")),
  },
  {
    name: "check",
    section: "begin",
    usage: "check [--host] [config]",
    summary: "the config, every sense, workflow and pending migration: every problem at once",
    load: () => any(import("./commands/check.ts")),
  },
  {
    name: "once",
    section: "begin",
    usage: "once <name> [input]",
    summary: "one compute of a sense, or one run of a workflow, on scratch copies: nothing is kept",
    load: () => any(import("./commands/once.ts")),
  },
  {
    name: "status",
    section: "see",
    usage: "status",
    summary: "what the daemon is doing: groups, senses, reflexes, workflows",
    load: () => any(import("./commands/status.ts")),
  },
  {
    name: "signals",
    section: "see",
    usage: "signals [sense…]",
    summary: "what senses have seen; -f follows",
    load: () => any(import("./commands/signals.ts")),
  },
  {
    name: "logs",
    section: "see",
    usage: "logs [sense…]",
    summary: "what happened meanwhile: errors, output, the daemon's own records; -f follows",
    load: () => any(import("./commands/logs.ts")),
  },
  {
    name: "runs",
    section: "see",
    usage: "runs [workflow…]",
    summary: "what workflows did, and are doing; -f follows",
    load: () => any(import("./commands/runs.ts")),
  },
  {
    name: "incidents",
    section: "see",
    usage: "incidents [reflex…]",
    summary: "what is open, what was, and who knows of it; -f follows",
    load: () => any(import("./commands/incidents.ts")),
  },
  {
    name: "show",
    section: "see",
    usage: "show <run or trace>",
    summary: "the whole story of one run or trace",
    load: () => any(import("./commands/show.ts")),
  },
  {
    name: "why",
    section: "see",
    usage: "why [id or name]",
    summary: "the newest thing that is wrong: who was told of it, what was not done, and why not",
    load: () => any(import("./commands/why.ts")),
  },
  {
    name: "explain",
    section: "see",
    usage: "explain <reflex>",
    summary: "why a reflex fired or did not, and what it waits for",
    load: () => any(import("./commands/explain.ts")),
  },
  {
    name: "graph",
    section: "see",
    usage: "graph",
    summary: "what triggers what, from the config alone, and how often workflows can start",
    load: () => any(import("./commands/graph.ts")),
  },
  {
    name: "backtest",
    section: "see",
    usage: "backtest [reflex…]",
    summary: "what reflexes would have done with the signals that are kept",
    load: () => any(import("./commands/backtest.ts")),
  },
  {
    name: "sql",
    section: "see",
    usage: "sql <query>",
    summary: "read-only SQL over the store, the tables of senses and the archive",
    load: () => any(import("./commands/sql.ts")),
  },
  {
    name: "open",
    section: "see",
    usage: "open",
    summary: "open the page in a browser, signed in",
    load: () => any(import("./commands/open.ts")),
  },
  {
    name: "run",
    section: "act",
    usage: "run <name> [input]",
    summary: "one run of a workflow, or one compute of a sense, now",
    load: () => any(import("./commands/run.ts")),
  },
  {
    name: "ack",
    section: "act",
    usage: "ack <incident>",
    summary: "acknowledge an incident: its reminders and escalations end",
    load: () => any(import("./commands/ack.ts")),
  },
  {
    name: "resolve",
    section: "act",
    usage: "resolve <incident>",
    summary: "resolve an incident by hand",
    load: () => any(import("./commands/resolve.ts")),
  },
  {
    name: "cancel",
    section: "act",
    usage: "cancel <run>",
    summary: "end a run before its time",
    load: () => any(import("./commands/cancel.ts")),
  },
  {
    name: "retry",
    section: "act",
    usage: "retry <run>",
    summary: "run a run that is over once more, keeping the steps it had finished",
    load: () => any(import("./commands/retry.ts")),
  },
  {
    name: "silence",
    section: "act",
    usage: "silence [reflex]",
    summary: "have reflexes start no workflow for a while, list what is silenced, or end it",
    load: () => any(import("./commands/silence.ts")),
  },
  {
    name: "notify",
    section: "act",
    usage: "notify <channel> [text]",
    summary: "tell a channel of a trial incident, opened and resolved, and print what it answers",
    load: () => any(import("./commands/notify.ts")),
  },
  {
    name: "enable",
    section: "act",
    usage: "enable <name>",
    summary: "switch a sense or reflex on again; lifts the quarantine of a sense",
    load: () => any(import("./commands/enable.ts")),
  },
  {
    name: "disable",
    section: "act",
    usage: "disable <name>",
    summary: "switch a sense or reflex off until it is enabled",
    load: () => any(import("./commands/disable.ts")),
  },
  {
    name: "reload",
    section: "act",
    usage: "reload",
    summary: "re-read the config: an error in it changes nothing, and what does not load is named",
    load: () => any(import("./commands/reload.ts")),
  },
  {
    name: "token",
    section: "keep",
    usage: "token <name>",
    summary: "the token that opens the page or the metrics, with the line to paste; --renew",
    load: () => any(import("./commands/token.ts")),
  },
  {
    name: "unit",
    section: "keep",
    usage: "unit",
    summary: "a hardened systemd unit that opens what this config asks for, and nothing else",
    load: () => any(import("./commands/unit.ts")),
  },
  {
    name: "archive",
    section: "keep",
    usage: "archive ls|verify|run",
    summary: "the files that old logs were moved to: list them, check them, or move now what is old",
    load: () => any(import("./commands/archive.ts")),
  },
  {
    name: "rebuild",
    section: "keep",
    usage: "rebuild",
    summary: "derive the table of runs from the logs and put right what differs; --check compares",
    load: () => any(import("./commands/rebuild.ts")),
  },
  {
    name: "backup",
    section: "keep",
    usage: "backup <dir>",
    summary: "back up everything into a new folder while nerve runs; --check proves a backup",
    load: () => any(import("./commands/backup.ts")),
  },
  {
    name: "restore",
    section: "keep",
    usage: "restore <dir>",
    summary: "put a backup into an empty data directory, once it is proven",
    load: () => any(import("./commands/restore.ts")),
  },
  {
    name: "upgrade",
    section: "keep",
    usage: "upgrade [file]",
    summary: "another nerve in the place of this one, tried on copies first; goes back unless it commits; --rollback",
    load: () => any(import("./commands/upgrade.ts")),
  },
  {
    name: "completion",
    section: "keep",
    usage: "completion bash|zsh|fish",
    summary: "have a shell complete verbs, options, names and ids of runs",
    load: () => any(import("./commands/completion.ts")),
  },
  {
    name: "version",
    section: "keep",
    usage: "version",
    summary: "the versions of nerve, Bun and SQLite, and the commit it was built from",
    load: () => any(import("./commands/version.ts")),
  },
];

/** Former names of verbs. They are still understood, and stand in no help. */
const FORMER: Readonly<Record<string, Pick<Verb, "load"> & { readonly verb: string }>> = {
  // A bare name means the sense, if there is a sense of this name.
  trigger: { verb: "run", load: () => any(import("./commands/trigger.ts")) },
  release: { verb: "enable", load: () => any(import("./commands/enable.ts")) },
};

/** The verb with this name or former name. Null when there is none. */
export function verbNamed(word: string): Verb | null {
  const former = Object.hasOwn(FORMER, word) ? FORMER[word] : undefined;
  const verb = VERBS.find(({ name }) => name === (former?.verb ?? word));
  return verb === undefined ? null : { ...verb, load: former?.load ?? verb.load };
}
/** Verbs that this build refuses. */
export const NOT_YET: readonly string[] = ["dev", "fleet", "inbox", "push", "test", "wrap"];

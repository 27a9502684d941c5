/** The verbs there are, each loaded only when it is asked for, and those of the contract that a later build brings. */
import type { Command } from "./frame/command.ts";

export interface Verb {
  readonly name: string;
  readonly section: string;
  readonly usage: string;
  /** One sentence without a stop, begins lower-case: for the overview and for the verb's own help. */
  readonly summary: string;
  load(): Promise<{ readonly command: Command }>;
}

/** Options are known to the command alone; here they are all the same. */
const any = (module: Promise<{ readonly command: unknown }>) => module as Promise<{ readonly command: Command }>;

const RUN = "Run and try";
const LOOK = "Look";
const ACT = "Act on a running daemon";

export const VERBS: readonly Verb[] = [
  {
    name: "start",
    section: RUN,
    usage: "start",
    summary: "run the daemon in the foreground",
    load: () => any(import("./commands/start.ts")),
  },
  {
    name: "check",
    section: RUN,
    usage: "check [config]",
    summary: "the config, every sense, workflow and pending migration: every problem at once",
    load: () => any(import("./commands/check.ts")),
  },
  {
    name: "once",
    section: RUN,
    usage: "once <sense>",
    summary: "one compute of a sense on a scratch copy of its data",
    load: () => any(import("./commands/once.ts")),
  },
  {
    name: "unit",
    section: RUN,
    usage: "unit",
    summary: "a hardened systemd unit for this executable and config",
    load: () => any(import("./commands/unit.ts")),
  },
  {
    name: "status",
    section: LOOK,
    usage: "status",
    summary: "what the daemon is doing: groups, senses, reflexes, workflows",
    load: () => any(import("./commands/status.ts")),
  },
  {
    name: "signals",
    section: LOOK,
    usage: "signals [sense…]",
    summary: "what senses have seen; -f follows",
    load: () => any(import("./commands/signals.ts")),
  },
  {
    name: "logs",
    section: LOOK,
    usage: "logs [sense…]",
    summary: "what happened meanwhile: errors, output, the daemon's own records; -f follows",
    load: () => any(import("./commands/logs.ts")),
  },
  {
    name: "runs",
    section: LOOK,
    usage: "runs [workflow…]",
    summary: "what workflows did, and are doing; -f follows",
    load: () => any(import("./commands/runs.ts")),
  },
  {
    name: "show",
    section: LOOK,
    usage: "show <run or trace>",
    summary: "the whole story of one run or trace",
    load: () => any(import("./commands/show.ts")),
  },
  {
    name: "graph",
    section: LOOK,
    usage: "graph",
    summary: "what triggers what, from the config alone, and how often workflows can start",
    load: () => any(import("./commands/graph.ts")),
  },
  {
    name: "explain",
    section: LOOK,
    usage: "explain <reflex>",
    summary: "why a reflex fired or did not, and what it waits for",
    load: () => any(import("./commands/explain.ts")),
  },
  {
    name: "backtest",
    section: LOOK,
    usage: "backtest [reflex…]",
    summary: "what reflexes would have done with the signals that are kept",
    load: () => any(import("./commands/backtest.ts")),
  },
  {
    name: "archive",
    section: LOOK,
    usage: "archive ls|verify|run",
    summary: "the files that old logs were moved to: list them, check them, or move now what is old",
    load: () => any(import("./commands/archive.ts")),
  },
  {
    name: "rebuild",
    section: LOOK,
    usage: "rebuild",
    summary: "derive the table of runs from the logs and put right what differs; --check compares",
    load: () => any(import("./commands/rebuild.ts")),
  },
  {
    name: "version",
    section: LOOK,
    usage: "version",
    summary: "the versions of nerve, Bun and SQLite, and the commit it was built from",
    load: () => any(import("./commands/version.ts")),
  },
  {
    name: "trigger",
    section: ACT,
    usage: "trigger <sense>",
    summary: "one compute of a sense, now",
    load: () => any(import("./commands/trigger.ts")),
  },
  {
    name: "run",
    section: ACT,
    usage: "run <workflow> [input]",
    summary: "start a workflow by hand",
    load: () => any(import("./commands/run.ts")),
  },
  {
    name: "cancel",
    section: ACT,
    usage: "cancel <run>",
    summary: "end a run before its time",
    load: () => any(import("./commands/cancel.ts")),
  },
  {
    name: "retry",
    section: ACT,
    usage: "retry <run>",
    summary: "run a run that is over once more, keeping the steps it had finished",
    load: () => any(import("./commands/retry.ts")),
  },
  {
    name: "enable",
    section: ACT,
    usage: "enable <name>",
    summary: "switch a sense or reflex on again",
    load: () => any(import("./commands/enable.ts")),
  },
  {
    name: "disable",
    section: ACT,
    usage: "disable <name>",
    summary: "switch a sense or reflex off until it is enabled",
    load: () => any(import("./commands/disable.ts")),
  },
  {
    name: "silence",
    section: ACT,
    usage: "silence [reflex]",
    summary: "have reflexes start no workflow for a while, list what is silenced, or lift it",
    load: () => any(import("./commands/silence.ts")),
  },
  {
    name: "release",
    section: ACT,
    usage: "release <sense>",
    summary: "lift a quarantine and forget its strikes",
    load: () => any(import("./commands/release.ts")),
  },
  {
    name: "reload",
    section: ACT,
    usage: "reload",
    summary: "re-read the config; a bad one is refused and changes nothing",
    load: () => any(import("./commands/reload.ts")),
  },
];

/** Refused, never ignored. A build that learns one moves it up, and changes nothing else. */
export const NOT_YET: readonly string[] = ["init", "sql"];

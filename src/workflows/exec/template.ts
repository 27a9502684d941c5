/**
 * `{{ payload.x }}`, `{{ signal.x }}`, `{{ incident.x }}`, `{{ sense }}`, `{{ at }}`, `{{ id }}`, `{{ key }}` and `{{ due }}` in the
 * arguments of a command.
 *
 * 1. What is filled in is part of one argument and never makes two: there is no shell and no splitting.
 * 2. What is filled in never makes an argument an option, unless a `--` before it says that no options follow.
 * 3. Payloads are anyone's: only own keys are looked up, and what no argument can hold is refused.
 * 4. Errors show the braces of an argument and nothing around them, which may be a secret.
 */
import type { Trigger } from "nerve";

const TEMPLATE = /\{\{([^{}]*)\}\}/g;
const WORD = /^(?:(?:payload|signal|incident)(?:\.[^.\s]+)*|sense|at|id|key|due)$/;
/** Text of the author's own that makes an argument the option it is: `--host=`, `-n`. */
const OWN_OPTION = /^-[^{]*[^-{]/;

const wordsIn = (argument: string): string[] => [...argument.matchAll(TEMPLATE)].map(([, word = ""]) => word.trim());

/** Whether everything between braces is something that can be filled in. */
export const isTemplate = (argument: string): boolean =>
  wordsIn(argument).every((word) => WORD.test(word)) && !argument.replaceAll(TEMPLATE, "").includes("{{");

export const hasNoTemplate = (argument: string): boolean => wordsIn(argument).length === 0;

/** The command with everything filled in. Throws for what is not there, and for what no argument may be. */
export function fill(command: readonly string[], trigger: Trigger): string[] {
  const end = command.indexOf("--");
  return command.map((argument, index) => {
    if (hasNoTemplate(argument)) return argument;
    const filled = argument.replaceAll(TEMPLATE, (_, word: string) => textOf(word.trim(), trigger));
    const isFree = (end > 0 && end < index) || OWN_OPTION.test(argument);
    if (filled.startsWith("-") && !isFree) {
      throw new Error(`${at(index, argument)} would begin with "-" and be an option: put "--" before it`);
    }
    if (filled.includes("\0")) throw new Error(`${at(index, argument)} would hold a NUL character`);
    return filled;
  });
}

const PARTS = /(\{\{[^{}]*\}\})/;
const shown = (argument: string): string =>
  argument
    .split(PARTS)
    .map((part) => (part === "" || PARTS.test(part) ? part : "…"))
    .join("");
const at = (index: number, argument: string): string => `argument ${index} of the command, "${shown(argument)}",`;

type Root = "payload" | "signal" | "incident" | "sense" | "at" | "id" | "key" | "due";

/** What it means that there is none; null: a payload may be null. */
const MISSING: Readonly<Record<Root, string | null>> = {
  payload: null,
  signal: "the reflex has no `each`, or its signal is no longer kept",
  incident: "the run reports no incident, for its reflex has no `incident`",
  sense: "no signal started this run",
  at: "no signal started this run",
  id: "no signal started this run",
  key: "the reflex has no `key`, or its signal has no such field",
  due: "no due time started this run",
};

function textOf(word: string, trigger: Trigger): string {
  const [root, ...path] = word.split(".") as [Root, ...string[]];
  let value: unknown = trigger[root];
  const missing = MISSING[root];
  if (missing !== null && value === null) throw new Error(`{{ ${word} }}: ${missing}`);
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) {
      throw new Error(`{{ ${word} }}: the ${root} has no ${path.join(".")}`);
    }
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

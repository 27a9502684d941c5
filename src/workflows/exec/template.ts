/**
 * Templates in the arguments of a command.
 *
 * 1. What is filled in is part of one argument and never makes two: there is no shell and no splitting.
 * 2. What is filled in never makes an argument an option, unless a `--` before it says that no options follow.
 * 3. What no argument can hold is refused.
 * 4. Errors show the braces of an argument and nothing around them, which may be a secret.
 */
import type { Trigger } from "nerve";
import { fillText, hasNoTemplate } from "nerve/template";

/** Text of the author's own that makes an argument the option it is: `--host=`, `-n`. */
const OWN_OPTION = /^-[^{]*[^-{]/;

/** The command with everything filled in. Throws for what is not there, and for what no argument may be. */
export function fill(command: readonly string[], trigger: Trigger): string[] {
  const end = command.indexOf("--");
  return command.map((argument, index) => {
    if (hasNoTemplate(argument)) return argument;
    const filled = fillText(argument, trigger);
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

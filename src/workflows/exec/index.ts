/** Runs a program of yours as the one step of a run, its arguments filled in from what started the run. */
import type { Run, Trigger } from "nerve";
import { COMMAND, exitError, leftBehindWords, runCommand } from "nerve/exec";
import { type Infer, record, where } from "nerve/options";
import { withAdvice } from "nerve/retry";
import { hasNoTemplate, isTemplate, TEMPLATE_WORDS } from "nerve/template";
import { fill } from "./template.ts";

const known = where(COMMAND.command, (words) => words.every(isTemplate), `fill in only ${TEMPLATE_WORDS}`);

export const options = record({
  command: where(known, ([program = ""]) => hasNoTemplate(program), "name the program itself, without {{ }}"),
  env: COMMAND.env,
  cwd: COMMAND.cwd,
});

/** What started the run stays what it is: where something is missing in it, another attempt changes nothing. */
function filledIn(command: readonly string[], trigger: Trigger): string[] {
  try {
    return fill(command, trigger);
  } catch (error) {
    throw withAdvice(error as Error, { again: false, waitMs: 0 });
  }
}

/** Even if all of it has to be escaped, the output stays under 64 KiB. */
const STDOUT_TAIL_BYTES = 8 * 1024;

export const run: Run<Infer<typeof options>> = (thread, { options: { command, env, cwd } }) => {
  const [program = ""] = command;
  const filled = filledIn(command, thread.trigger);
  return thread.step("exec", async ({ signal }) => {
    const finished = await runCommand({ command: filled, env, cwd }, signal, STDOUT_TAIL_BYTES);
    if (finished.leftBehind > 0) thread.log("warn", leftBehindWords(program, finished));
    if (finished.code !== 0) throw exitError(program, finished);
    return { exit_code: finished.code, stdout: finished.stdout, stderr: finished.stderr };
  });
};

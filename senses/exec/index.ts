/** Runs a program of yours and makes its output the payload. */
import type { Compute } from "nerve";
import { COMMAND, exitError, leftBehindWords, runCommand } from "nerve/exec";
import { choice, type Infer, record } from "nerve/options";
import { declaration } from "nerve/payload";
import { PARSES, PAYLOADS, parseOutput } from "./output.ts";

export const options = record({
  command: COMMAND.command,
  parse: choice(PARSES, "json"),
  env: COMMAND.env,
  cwd: COMMAND.cwd,
});

/** What a program prints as JSON is its own. */
export const payload = declaration<Infer<typeof options>>(({ parse }) => PAYLOADS[parse]);

export const compute: Compute<Infer<typeof options>> = async (
  _db,
  _peers,
  { options: { command, parse, env, cwd }, signal, log },
) => {
  const [program = ""] = command;
  const finished = await runCommand({ command, env, cwd }, signal, null);
  if (finished.leftBehind > 0) log("warn", leftBehindWords(program, finished));
  if (finished.code !== 0 && parse !== "nagios") throw exitError(program, finished);
  return parseOutput(parse, finished);
};

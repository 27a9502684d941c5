/** Whatever a program of yours can tell: runs it, and makes its output the payload. */
import type { Compute } from "nerve";
import { choice, type Infer, record } from "../options.ts";
import { COMMAND } from "./command-options.ts";
import { parseOutput } from "./output.ts";
import { exitError, leftBehindWords, runCommand } from "./run-command.ts";

export const options = record({
  command: COMMAND.command,
  parse: choice(["json", "lines", "number", "nagios"], "json"),
  env: COMMAND.env,
  cwd: COMMAND.cwd,
});

export const compute: Compute<Infer<typeof options>> = async (
  _db,
  _peers,
  { options: { command, parse, env, cwd }, signal, log },
) => {
  const [program = ""] = command;
  const finished = await runCommand({ command, env, cwd }, signal, null);
  if (finished.leftBehind > 0) log("warn", leftBehindWords(program, finished));
  if (finished.code !== 0 && parse !== "nagios") throw exitError(program, finished);
  return parseOutput(parse, finished.stdout, finished.code);
};

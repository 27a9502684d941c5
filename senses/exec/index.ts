/** Whatever a program of yours can tell: runs it, and makes its output the payload. */
import type { Compute } from "nerve";
import { choice, type Infer, mapping, orNull, record, text, where, words } from "../options.ts";
import { parseOutput } from "./output.ts";
import { runCommand } from "./run-command.ts";

export const options = record({
  command: where(words(), ([program = ""]) => program !== "", "begin with the program to run"),
  parse: choice(["json", "lines", "number", "nagios"], "json"),
  env: where(mapping(), (env) => Object.keys(env).every((name) => !/[=\0]/.test(name)), "have no `=` in a name"),
  cwd: orNull(text()),
});

export const compute: Compute<Infer<typeof options>> = async (
  _db,
  _peers,
  { options: { command, parse, env, cwd }, signal, log },
) => {
  const { code, stdout, stderr, leftBehind } = await runCommand({ command, env, cwd }, signal);
  if (leftBehind > 0) log("warn", `${command[0]} left ${leftBehind} processes behind, which were killed`);
  if (code !== 0 && parse !== "nagios") {
    throw new Error(`${command[0]} exited with ${code}${stderr === "" ? "" : `: ${stderr}`}`);
  }
  return parseOutput(parse, stdout, code);
};

/** The options that say which program is run, and how: of the sense and of the workflow. */
import { mapping, orNull, text, where, words } from "../options.ts";

export const COMMAND = {
  command: where(words(), ([program = ""]) => program !== "", "begin with the program to run"),
  env: where(mapping(), (env) => Object.keys(env).every((name) => !/[=\0]/.test(name)), "have no `=` in a name"),
  cwd: orNull(text()),
} as const;

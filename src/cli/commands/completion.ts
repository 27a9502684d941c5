/** Owns `nerve completion`: prints a script with which a shell completes the words after `nerve`. */

import { safeJson } from "../../base/escape.ts";
import { meantOr } from "../../base/nearest.ts";
import { ok } from "../../base/result.ts";
import { SCRIPTS, SHELLS, type Shell } from "../completion/scripts.ts";
import { defineCommand } from "../frame/command.ts";
import { EXIT, usageError } from "../frame/outcome.ts";
import { print } from "../screen/terminal.ts";

const isShell = (word: string): word is Shell => (SHELLS as readonly string[]).includes(word);

export const command = defineCommand({
  details:
    "Verbs, options, and the names of senses, reflexes, workflows and built-ins and the ids of runs, from the config that the\ncommand line names.",
  arguments: [{ name: "shell", required: true }],
  options: {},
  examples: [
    ["source <(nerve completion bash)", "in ~/.bashrc"],
    ["source <(nerve completion zsh)", "in ~/.zshrc, behind compinit"],
    ["nerve completion fish > ~/.config/fish/completions/nerve.fish", "once"],
  ],
  async run({ arguments: [shell = ""], json }) {
    if (!isShell(shell)) {
      const there = `there are: ${SHELLS.join(", ")}`;
      return usageError(`there is no completion for \`${shell}\``, meantOr(shell, SHELLS, there));
    }
    print(json ? safeJson({ shell, script: SCRIPTS[shell] }) : SCRIPTS[shell].trimEnd());
    return ok(EXIT.done);
  },
});

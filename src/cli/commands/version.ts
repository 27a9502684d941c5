/** `nerve version`: what this executable is made of. Starts in a few milliseconds: it loads nothing else. */
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import { COMMIT, VERSION } from "../../version.ts";
import { defineCommand } from "../frame/command.ts";
import { EXIT } from "../frame/outcome.ts";
import { print } from "../screen/terminal.ts";

export const command = defineCommand({
  details: null,
  arguments: [],
  options: {},
  examples: [
    ["nerve version", "what to put into a bug report"],
    ["nerve version --json", "the same for a program"],
  ],
  async run({ json }) {
    const about = { version: VERSION, bun: Bun.version, sqlite: process.versions.sqlite ?? "unknown", commit: COMMIT };
    if (json) print(safeJson(about));
    else print(`nerve ${about.version} (commit ${about.commit})\nBun ${about.bun}\nSQLite ${about.sqlite}`);
    return ok(EXIT.done);
  },
});

/** Owns `nerve version`: the parts of this executable. It loads nothing else, so it starts in a few milliseconds. */
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import { ABOUT, aboutText } from "../about.ts";
import { defineCommand, flag } from "../frame/command.ts";
import { EXIT } from "../frame/outcome.ts";
import { print } from "../screen/terminal.ts";

export const command = defineCommand({
  details: null,
  arguments: [],
  options: { licences: flag("the licence of everything that is in this executable, with its text") },
  examples: [
    ["nerve version", "what to put into a bug report"],
    ["nerve version --json", "the same for a program"],
    ["nerve version --licences | less", "under which terms you have nerve, and what it is made of"],
  ],
  async run({ options, json }) {
    if (options.licences) {
      const { readLicences, showLicences } = await import("../kit/licences.ts");
      const licences = await readLicences();
      print(json ? safeJson({ ...ABOUT, licences }) : showLicences(licences).trimEnd());
    } else if (json) print(safeJson(ABOUT));
    else print(aboutText().trimEnd());
    return ok(EXIT.done);
  },
});

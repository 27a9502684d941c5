/** Owns the part that `enable` and `disable` share. */
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import type { SwitchAnswer } from "../../control/contract.ts";
import { defineCommand } from "../frame/command.ts";
import { EXIT } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { findPlace } from "../place/place.ts";
import { print } from "../screen/terminal.ts";

export const switchCommand = (
  verb: "enable" | "disable",
  about: { readonly details: string; readonly example: string },
) =>
  defineCommand({
    details: about.details,
    arguments: [{ name: "name", required: true }],
    options: {},
    examples: [
      [`nerve ${verb} cpu-usage`, about.example],
      [`nerve ${verb} reflex:cpu-usage#1`, "one reflex only, by its name in `nerve status`"],
    ],
    async run({ arguments: [name = ""], config, json }) {
      const place = findPlace(config);
      if (!place.ok) return place;
      const answer = await ask<SwitchAnswer>(place.value, `/${verb}`, { name });
      if (!answer.ok) return answer;
      const { name: switched, enabled, released } = answer.value;
      const lifted = released ? ", and its quarantine is lifted" : "";
      print(json ? safeJson(answer.value) : `${switched} is ${enabled ? "enabled" : "disabled"}${lifted}`);
      return ok(EXIT.done);
    },
  });

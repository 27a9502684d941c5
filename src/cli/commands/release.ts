/** `nerve release`: lifts a quarantine before its time. */
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import { defineCommand } from "../frame/command.ts";
import { EXIT } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { findPlace } from "../place/place.ts";
import { print } from "../screen/terminal.ts";

export const command = defineCommand({
  details: "A sense whose worker died three times while it ran alone is left out for a while; this ends that now.",
  arguments: [{ name: "sense", required: true }],
  options: {},
  examples: [["nerve release cpu-usage", "it may compute again"]],
  async run({ arguments: [name = ""], config, json }) {
    const place = findPlace(config);
    if (!place.ok) return place;
    const answer = await ask<{ sense: string; released: boolean }>(place.value, "/release", { name });
    if (!answer.ok) return answer;
    const { sense, released } = answer.value;
    print(json ? safeJson(answer.value) : `${sense} ${released ? "is released" : "was not in quarantine"}`);
    return ok(EXIT.done);
  },
});

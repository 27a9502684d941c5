/** Owns `nerve retry`: runs a finished run once more, and keeps the steps that it had completed. */
import type { RetryRequest, RunAnswer } from "../../control/contract.ts";
import { defineCommand, flag, text } from "../frame/command.ts";
import { ask } from "../place/ask.ts";
import { parseRunId } from "../place/ids.ts";
import { findPlace } from "../place/place.ts";
import { tellOrder } from "../waits/wait-for-run.ts";

export const command = defineCommand({
  details:
    "Makes a new run of the same input and trace (`retry_of` names the old one). Finished steps return what they had\nreturned; with --from-step the first call of that step and everything after it is done anew.",
  arguments: [{ name: "run", required: true }],
  options: {
    "from-step": text("NAME", "do this step and what followed it anew"),
    wait: flag("wait until it is over, and print its output"),
  },
  examples: [
    ["nerve retry 42", "go on where run 42 failed"],
    ["nerve retry 42 --from-step 'find owner' --wait", "from an earlier step, and see what comes of it"],
  ],
  async run({ arguments: [word = ""], options, config: given, json }) {
    const id = parseRunId(word);
    if (!id.ok) return id;
    const place = findPlace(given);
    if (!place.ok) return place;
    const order: RetryRequest = { run: id.value, from_step: options["from-step"] };
    const answer = await ask<RunAnswer>(place.value, "/retry", order);
    if (!answer.ok) return answer;
    return tellOrder(answer.value, options.wait, { place: place.value, given, json });
  },
});

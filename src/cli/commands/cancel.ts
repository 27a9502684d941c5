/** Owns `nerve cancel`: ends a run early. */
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import type { CancelRequest, RunAnswer } from "../../control/contract.ts";
import { defineCommand } from "../frame/command.ts";
import { EXIT } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { parseRunId } from "../place/ids.ts";
import { findPlace } from "../place/place.ts";
import { runTitle } from "../screen/run-rows.ts";
import { print } from "../screen/terminal.ts";

export const command = defineCommand({
  details:
    "It is over when the command returns, and is not tried again by itself. Code of it that is under way has its signal\naborted, and its grace period to settle.",
  arguments: [{ name: "run", required: true }],
  options: {},
  examples: [["nerve cancel 42", "run 42 of `nerve runs`"]],
  async run({ arguments: [word = ""], config, json }) {
    const id = parseRunId(word);
    if (!id.ok) return id;
    const place = findPlace(config);
    if (!place.ok) return place;
    const order: CancelRequest = { run: id.value };
    const answer = await ask<RunAnswer>(place.value, "/cancel", order);
    if (!answer.ok) return answer;
    const { run, workflow, state } = answer.value;
    print(json ? safeJson(answer.value) : `${runTitle({ id: run, workflow })} is ${state}`);
    return ok(EXIT.done);
  },
});

/** `nerve reload`: the daemon reads its config again. */
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import type { Reloaded } from "../../control/contract.ts";
import { defineCommand } from "../frame/command.ts";
import { EXIT } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { findPlace } from "../place/place.ts";
import { warn } from "../screen/failure.ts";
import { print } from "../screen/terminal.ts";

function sentence({ groups, reflexes, workflows }: Reloaded): string {
  const parts = [
    ...(groups.length === 0 ? [] : [`started anew: ${groups.join(", ")}`]),
    ...(reflexes.length === 0 ? [] : [`reflexes changed: ${reflexes.join(", ")}`]),
    ...(workflows.length === 0 ? [] : [`workflows changed: ${workflows.join(", ")}`]),
  ];
  return parts.length === 0 ? "reloaded: no group, reflex or workflow changed" : `reloaded; ${parts.join("; ")}`;
}

/** `data` may be what was edited: a daemon started beside the one that runs on the old would be a second one. */
const RESTART = "a nerve that keeps its data elsewhere must be restarted to take another `data`";

export const command = defineCommand({
  summary: "re-read the config; a bad one is refused and changes nothing",
  details:
    "What changed (its entry, or any file of a sense or workflow) finishes its computes or steps and starts anew; the rest\nis not touched. A refused config ends with exit code 78 and every problem in it. Another `data` takes a restart.",
  arguments: [],
  options: {},
  examples: [
    ["nerve reload", "after an edit of nerve.yaml, a sense or a workflow"],
    ["nerve check && nerve reload", "only if every sense and workflow loads too"],
  ],
  async run({ config, json }) {
    const place = findPlace(config);
    if (!place.ok) return place;
    const answer = await ask<Reloaded>(place.value, "/reload", {}, EXIT.badConfig, RESTART);
    if (!answer.ok) return answer;
    const { needs_restart } = answer.value;
    print(json ? safeJson(answer.value) : sentence(answer.value));
    if (needs_restart.length > 0)
      warn(`${needs_restart.join(", ")} changed, which needs a restart of the daemon`, json);
    return ok(EXIT.done);
  },
});

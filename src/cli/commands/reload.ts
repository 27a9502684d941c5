/** `nerve reload`: the daemon reads its config again. */
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import { NO_PARTS } from "../../config/pattern-parts.ts";
import type { Reloaded } from "../../control/contract.ts";
import type { NerveConfig } from "../../model/config.ts";
import type { Problem } from "../../model/problem.ts";
import { ScratchFolder } from "../../scratch/folder.ts";
import { checkWorkflows, problemsOf } from "../../scratch/modules.ts";
import { defineCommand } from "../frame/command.ts";
import { EXIT, fail } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { findPlace } from "../place/place.ts";
import { warn } from "../screen/failure.ts";
import { print } from "../screen/terminal.ts";

function sentence({ groups, reflexes, workflows, cancelled_runs }: Reloaded): string {
  const parts = [
    ...(groups.length === 0 ? [] : [`started anew: ${groups.join(", ")}`]),
    ...(reflexes.length === 0 ? [] : [`reflexes changed: ${reflexes.join(", ")}`]),
    ...(workflows.length === 0 ? [] : [`workflows changed: ${workflows.join(", ")}`]),
    ...(cancelled_runs.length === 0 ? [] : [`cancelled with their workflow: ${shownRuns(cancelled_runs)}`]),
  ];
  return parts.length === 0 ? "reloaded: no group, reflex or workflow changed" : `reloaded; ${parts.join("; ")}`;
}

const shownRuns = (runs: readonly number[]): string => runs.map((run) => `run ${run}`).join(", ");

/** `data` may be what was edited: a daemon started beside the one that runs on the old would be a second one. */
const RESTART = "a nerve that keeps its data elsewhere must be restarted to take another `data`";

export const command = defineCommand({
  details:
    "What changed (its entry, or any file of a sense or workflow) finishes its computes or steps and starts anew; the rest\nis not touched. Waits until what was started anew has loaded: exit code 1 and the messages of `nerve check` where a\nsense or workflow does not. A refused config ends with exit code 78 and every problem in it. Another `data` takes a\nrestart.",
  arguments: [],
  options: {},
  examples: [
    ["nerve reload", "after an edit of nerve.yaml, a sense or a workflow"],
    ["nerve check && nerve reload", "only if every sense and workflow loads too"],
  ],
  async run({ config: given, json }) {
    const place = findPlace(given);
    if (!place.ok) return place;
    const answer = await ask<Reloaded>(place.value, "/reload", {}, EXIT.badConfig, RESTART);
    if (!answer.ok) return answer;
    const { needs_restart, failed, workflows } = answer.value;
    // The file may have been mended since `place` was found.
    const read = findPlace(given);
    const config = read.ok ? read.value.config : null;
    const problems = [...failed, ...(config === null ? [] : await whyNotLoaded(config, workflows))];
    print(json ? safeJson({ ...answer.value, failed: problems }) : sentence(answer.value));
    if (needs_restart.length > 0)
      warn(`${needs_restart.join(", ")} changed, which needs a restart of the daemon`, json);
    return problems.length === 0 ? ok(EXIT.done) : fail(EXIT.finding, ...problems);
  },
});

/** The daemon loads a workflow when there is a run of it: what changed is tried here. */
async function whyNotLoaded(config: NerveConfig, changed: readonly string[]): Promise<readonly Problem[]> {
  const workflows = changed.flatMap((name) => config.workflows.get(name) ?? []);
  if (workflows.length === 0) return [];
  const folder = new ScratchFolder("reload");
  try {
    return problemsOf("workflow", await checkWorkflows(folder, config, workflows), NO_PARTS);
  } finally {
    folder.remove();
  }
}

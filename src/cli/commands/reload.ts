/** Owns `nerve reload`: the daemon reads its config again. */
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import { loadAsFarAsReadable } from "../../config/load.ts";
import type { Reloaded } from "../../control/contract.ts";
import type { Problem } from "../../model/problem.ts";
import { channelProblems } from "../../scratch/channels.ts";
import { expectationsOf, unsatisfied } from "../../scratch/expectations.ts";
import { ScratchFolder } from "../../scratch/folder.ts";
import { checkSenses, checkWorkflows, placedOptions, problemsOf } from "../../scratch/modules.ts";
import { locateWorkflows } from "../../spawn/modules-on-disk.ts";
import { defineCommand } from "../frame/command.ts";
import { EXIT, fail } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { configFile, findPlace } from "../place/place.ts";
import { warn } from "../screen/failure.ts";
import { print } from "../screen/terminal.ts";

function sentence({ groups, reflexes, workflows, settings, cancelled_runs }: Reloaded): string {
  const parts = [
    ...(groups.length === 0 ? [] : [`started anew: ${groups.join(", ")}`]),
    ...(reflexes.length === 0 ? [] : [`reflexes changed: ${reflexes.join(", ")}`]),
    ...(workflows.length === 0 ? [] : [`workflows changed: ${workflows.join(", ")}`]),
    ...(settings.length === 0 ? [] : [`settings changed: ${settings.join(", ")}`]),
    ...(cancelled_runs.length === 0 ? [] : [`cancelled with their workflow: ${shownRuns(cancelled_runs)}`]),
  ];
  return parts.length === 0 ? "reloaded: no group, reflex or workflow changed" : `reloaded; ${parts.join("; ")}`;
}

const shownRuns = (runs: readonly number[]): string => runs.map((run) => `run ${run}`).join(", ");

/** The edit may concern `data`. A new daemon would then run as a second one beside the daemon on the old data. */
const RESTART = "where `data` was changed in this config, restart the daemon";

export const command = defineCommand({
  details:
    "What changed (its entry, or any file of a sense or workflow) finishes its computes or steps and starts anew; the rest\nis not touched. A config with an error in it is refused: exit code 78, every problem in it, and the old one goes on.\nWaits until what was started anew has loaded: exit code 1 and the messages of `nerve check` where a sense or workflow\ndoes not load, a rule asks for what no payload has, or `http` or `push` does not listen; the rest is in force then.\nAnother `data` takes a restart.",
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
    const problems = await whyNotLoaded(failed, workflows, configFile(given));
    print(json ? safeJson({ ...answer.value, failed: problems }) : sentence(answer.value));
    if (needs_restart.length > 0)
      warn(`${needs_restart.join(", ")} changed, which needs a restart of the daemon`, json);
    return problems.length === 0 ? ok(EXIT.done) : fail(EXIT.finding, ...problems);
  },
});

/**
 * The problems that `check` would report. The daemon has already loaded the senses. It loads a workflow only for a run, so
 * this function tries the changed workflows and those with a module of their own. It also checks the options of channels, and
 * what rules expect of payloads.
 */
async function whyNotLoaded(
  senses: readonly Problem[],
  changed: readonly string[],
  file: string,
): Promise<readonly Problem[]> {
  const { config, parts } = loadAsFarAsReadable(file, process.env);
  if (config === null) return senses;
  const locations = locateWorkflows(config);
  const isBuiltIn = (name: string): boolean => {
    const location = locations.get(name);
    return location?.ok === true && location.value.folder === null;
  };
  const workflows = [...config.workflows.values()].filter(({ name }) => changed.includes(name) || !isBuiltIn(name));
  const folder = new ScratchFolder("reload");
  try {
    const expectations = expectationsOf(config, parts);
    const loaded = expectations.length === 0 ? [] : await checkSenses(folder, config, expectations);
    const payloads = new Map(
      loaded.map(({ config: { name }, result }) => [name, result.ok ? result.value.patterns : []]),
    );
    const checked = await checkWorkflows(folder, config, workflows);
    return [
      ...senses.flatMap((found) => placedOptions(found, parts)),
      ...problemsOf("workflow", checked, parts),
      ...channelProblems(config, parts),
      ...unsatisfied(expectations, payloads),
    ];
  } finally {
    folder.remove();
  }
}

/** Owns why a workflow has done nothing yet, or cannot. A workflow with runs is asked about through its newest run. */
import type { NerveConfig } from "../model/config.ts";
import { aboutName, notDone, type Scene, type Why } from "./scene.ts";
import { listed, short } from "./words.ts";

export function whyWorkflow({ status }: Scene, { reflexes }: NerveConfig, name: string): Why {
  const broken = status?.broken_workflows.find((one) => one.name === name) ?? null;
  const starters = reflexes.flatMap((reflex) => {
    if (reflex.kind !== "workflow") return [];
    const escalates = reflex.incident?.escalate.some(({ workflow }) => workflow === name) === true;
    return reflex.workflow === name || escalates ? [reflex.name] : [];
  });
  const lead =
    broken === null ? `Workflow ${name} has never run.` : `Workflow ${name} does not load: ${short(broken.reason)}.`;
  return {
    about: aboutName("workflow", name),
    isWrong: broken !== null,
    since: null,
    signal: null,
    what: [lead],
    cause: starters.length === 0 ? [] : [`It is started by ${listed(starters)}.`],
    done: [],
    notDone: [
      ...(broken === null ? [] : [notDone("not-loaded", "Its runs wait as they stand until it loads.")]),
      ...(starters.length > 0 ? [] : [notDone("nobody-listens", "No reflex starts it, so only a person can.")]),
    ],
    coming: [],
    next:
      broken === null
        ? [
            { command: `nerve run ${name} --wait`, does: "one run now" },
            { command: "nerve graph", does: "what triggers what" },
          ]
        : [{ command: "nerve check", does: "what is wrong, and where" }],
  };
}

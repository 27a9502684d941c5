/** Owns why a workflow has done nothing yet, or cannot. A workflow with runs is asked about through its newest run. */
import type { NerveConfig } from "../model/config.ts";
import type { Run } from "../model/run.ts";
import { ALL_RUNS } from "../store/runs.ts";
import { staleness } from "./health.ts";
import { aboutName, notDone, type Scene, type Why } from "./scene.ts";
import { listed, moment, short } from "./words.ts";

function staleWords(name: string, { at, message }: ReturnType<typeof staleness>, now: number): string {
  const since = at === null ? "" : ` since ${moment(at, now)}`;
  return `Workflow ${name} has been stale${since}${message === null ? "" : `: ${short(message)}`}.`;
}

const lastRunWords = (run: Run | null, now: number): string =>
  run === null
    ? "It has never run."
    : `Its newest run, ${run.id}, is ${run.state}, and was started at ${moment(run.queued_at, now)}.`;

export function whyWorkflow(scene: Scene, { reflexes }: NerveConfig, name: string): Why {
  const { status, now, store } = scene;
  const broken = status?.broken_workflows.find((one) => one.name === name) ?? null;
  const starters = reflexes.flatMap((reflex) => {
    if (reflex.kind !== "workflow") return [];
    const escalates = reflex.incident?.escalate.some(({ workflow }) => workflow === name) === true;
    return reflex.workflow === name || escalates ? [reflex.name] : [];
  });
  const isStale = status?.workflows.some((one) => one.name === name && one.stale) === true;
  const since = isStale && broken === null ? staleness(scene, `workflow:${name}`) : null;
  const [run = null] = store.runs.list({ ...ALL_RUNS, workflows: [name], limit: 1, newest: true });
  const lead =
    broken !== null
      ? `Workflow ${name} does not load: ${short(broken.reason)}.`
      : since !== null
        ? staleWords(name, since, now)
        : `Workflow ${name} has never run.`;
  return {
    about: aboutName("workflow", name),
    isWrong: broken !== null || since !== null,
    since: since?.at ?? null,
    signal: null,
    what: since === null ? [lead] : [lead, lastRunWords(run, now)],
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
            ...(run === null ? [] : [{ command: `nerve why run:${run.id}`, does: "how its newest run is, and why" }]),
            { command: "nerve graph", does: "what triggers what" },
          ]
        : [{ command: "nerve check", does: "what is wrong, and where" }],
  };
}

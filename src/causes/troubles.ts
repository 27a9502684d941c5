/** Owns what is wrong now and what was wrong last: incidents, runs that ended badly, senses and workflows that are not well. */

import type { Incident } from "../model/incident-row.ts";
import { BAD_ENDINGS, type Run } from "../model/run.ts";
import { incidentOf } from "../model/run-decision.ts";
import { ALL_INCIDENTS } from "../store/incidents.ts";
import { ALL_RUNS } from "../store/runs.ts";
import { healthOf, suspectsIn } from "./health.ts";
import type { Scene } from "./scene.ts";
import { mendedBy } from "./why-run.ts";

export type Trouble = { readonly at: number } & (
  | { readonly kind: "incident"; readonly incident: Incident }
  | { readonly kind: "run"; readonly run: Run }
  | { readonly kind: "sense"; readonly name: string; readonly state: string }
  | { readonly kind: "workflow" | "channel"; readonly name: string }
);

/** Runs that ended badly, the newest, that are looked at. */
const RUNS = 1_000;
/** A run that no clock repeats is of yesterday after so long. */
const FRESH_MS = 24 * 3_600_000;

/** The newest first, behind it channels that fail, and last what a person has acknowledged. */
export function wrongNow(scene: Scene): Trouble[] {
  const { store } = scene;
  const incidents: Trouble[] = store.incidents
    .open()
    .map((incident) => ({ kind: "incident", at: incident.opened_at, incident }));
  const all = [...incidents, ...runsNow(scene), ...sensesNow(scene), ...workflowsNow(scene), ...channelsNow(scene)];
  return all.toSorted((a, b) => rank(a) - rank(b) || b.at - a.at);
}

/** A channel that fails comes after what it was to report. */
function rank(trouble: Trouble): number {
  if (trouble.kind === "channel") return 1;
  return trouble.kind === "incident" && trouble.incident.state === "acked" ? 2 : 0;
}

const badRuns = ({ store }: Scene): Run[] =>
  store.runs.list({ ...ALL_RUNS, states: BAD_ENDINGS, limit: RUNS, newest: true }).reverse();

const endOf = ({ ended_at, queued_at }: Run): number => ended_at ?? queued_at;

/** Of each workflow the newest run that ended badly, until one completes. An incident speaks for the runs that report it. */
function runsNow(scene: Scene): Trouble[] {
  const { store, now, config } = scene;
  const open = new Set(store.incidents.open().map(({ id }) => `incident:${id}`));
  const newest = new Map<string, Run>();
  for (const run of badRuns(scene)) {
    const reported = incidentOf(run.decision);
    if (reported !== null && open.has(reported)) continue;
    if (config !== null && !config.workflows.has(run.workflow)) continue;
    const isRepeated = run.decision?.startsWith("due:") === true;
    if (!isRepeated && now - endOf(run) > FRESH_MS) continue;
    if (!newest.has(run.workflow)) newest.set(run.workflow, run);
  }
  return [...newest.values()]
    .filter((run) => mendedBy(scene, run) === null)
    .map((run) => ({ kind: "run", at: endOf(run), run }));
}

function sensesNow(scene: Scene): Trouble[] {
  return suspectsIn(scene, [...(scene.config?.senses.keys() ?? [])]).flatMap((name): Trouble[] => {
    const { state, since } = healthOf(scene, name);
    if (state === "ok" || state === "disabled") return [];
    return [{ kind: "sense", at: since ?? 0, name, state }];
  });
}

const workflowsNow = ({ status }: Scene): Trouble[] =>
  (status?.broken_workflows ?? []).map(({ name }) => ({ kind: "workflow", at: 0, name }));

const channelsNow = ({ status }: Scene): Trouble[] =>
  (status?.channels ?? []).flatMap(({ name, state, last_failed }) =>
    state === "ok" ? [] : [{ kind: "channel" as const, at: last_failed ?? 0, name }],
  );

/** What was wrong last and is over: an incident that resolved, or a run that ended badly. */
export function wrongLast(scene: Scene): Trouble | null {
  const [incident] = scene.store.incidents.list({ ...ALL_INCIDENTS, states: ["resolved"], limit: 1, newest: true });
  const [run] = badRuns(scene);
  const found: Trouble[] = [
    ...(incident === undefined
      ? []
      : [{ kind: "incident" as const, at: incident.resolved_at ?? incident.opened_at, incident }]),
    ...(run === undefined ? [] : [{ kind: "run" as const, at: endOf(run), run }]),
  ];
  return found.toSorted((a, b) => b.at - a.at)[0] ?? null;
}

/** Owns who hears of a run that ended badly: reflexes on a sense that reports runs, and the runs they started for it. */

import type { NerveConfig, WorkflowReflexConfig } from "../model/config.ts";
import { OBSERVER } from "../model/full-name.ts";
import { isOver, type Run } from "../model/run.ts";
import { ALL_RUNS } from "../store/runs.ts";
import { readFields } from "./fields.ts";
import { healthOf } from "./health.ts";
import { type NotDone, notDone, type Scene } from "./scene.ts";
import { unfinished } from "./unfinished.ts";
import { listed, moment, short } from "./words.ts";

/** Runs after the one asked about that are looked at. */
const LOOKED_AT = 1_000;

export const observersIn = ({ senses }: NerveConfig): string[] =>
  [...senses.values()].filter(({ use }) => use === OBSERVER).map(({ name }) => name);

const listenersTo = ({ reflexes }: NerveConfig, senses: readonly string[]): WorkflowReflexConfig[] =>
  reflexes.flatMap((reflex) =>
    reflex.kind === "workflow" && reflex.on.some((sense) => senses.includes(sense)) ? [reflex] : [],
  );

interface Heard {
  readonly done: readonly string[];
  readonly notDone: readonly NotDone[];
}

export function heardBy(scene: Scene, run: Run): Heard {
  const { config, store, now } = scene;
  if (config === null) return { done: [], notDone: [] };
  const observers = observersIn(config);
  if (isOwn(scene, observers, run)) return { done: [], notDone: [OWN] };
  const listeners = listenersTo(config, observers);
  const [first] = listeners;
  if (first === undefined) return { done: [], notDone: [nobody(observers)] };
  const reflexes = listeners.map(({ name }) => name);
  const since = run.ended_at ?? run.queued_at;
  const after = store.runs
    .list({ ...ALL_RUNS, reflexes, since, limit: LOOKED_AT })
    .filter((one) => one.id > run.id && isAbout(one, run));
  const told = after.find(({ state }) => state === "completed");
  if (told !== undefined) {
    return {
      done: [`Workflow ${told.workflow} reported that at ${moment(told.ended_at ?? 0, now)} in run ${told.id}.`],
      notDone: [],
    };
  }
  const newest = after.at(-1);
  if (newest !== undefined) return { done: [], notDone: [untold(scene, newest)] };
  return { done: [], notDone: [unheard(scene, observers, listeners)] };
}

const OWN = notDone(
  "nobody-listens",
  "Nobody was told of that, because the run itself followed from a report of runs: a report that fails leads to no other.",
);

/** How far causes are followed back. */
const CAUSES = 100;

/** The run was started for a signal of an observer, or for one that such a signal led to. */
function isOwn({ store }: Scene, observers: readonly string[], run: Run): boolean {
  for (let id = run.signal_id, steps = 0; id !== null && steps < CAUSES; steps++) {
    const signal = store.signals.byId(id);
    if (signal === null) return false;
    if (signal.origin === null ? observers.includes(signal.sense) : signal.sense === OBSERVER) return true;
    id = signal.cause;
  }
  return false;
}

const nobody = (observers: readonly string[]): NotDone =>
  notDone(
    "nobody-listens",
    observers.length === 0
      ? "Nobody was told of that, because nobody listens: the config has no sense `nerve`, which reports such runs."
      : `Nobody was told of that, because no reflex on ${listed(observers)} starts a workflow.`,
  );

function isAbout({ input }: Run, { id }: Run): boolean {
  const { run, failed_runs } = readFields(input);
  if (run === id) return true;
  return Array.isArray(failed_runs) && failed_runs.some((one) => readFields(one).run === id);
}

function untold(scene: Scene, report: Run): NotDone {
  if (!isOver(report.state)) {
    const { reason, until, text } = unfinished(scene, report);
    return notDone(reason, `Nobody has been told of that yet: ${text}.`, until);
  }
  const error = report.error === null ? "" : `: ${short(report.error)}`;
  return notDone(
    "failed",
    `Nobody was told of that: run ${report.id} of ${report.workflow} ended ${report.state}${error}.`,
  );
}

/** The sense has not reported the run, or no reflex fired for what it reported. */
function unheard(scene: Scene, observers: readonly string[], listeners: readonly WorkflowReflexConfig[]): NotDone {
  const unwell = observers.map((name) => ({ name, ...healthOf(scene, name) })).find(({ state }) => state !== "ok");
  if (unwell !== undefined)
    return notDone("unwell", `Nobody was told of that, because the sense ${unwell.name} is ${unwell.state}.`);
  const names = listed(listeners.map(({ name }) => name));
  return notDone("nobody-listens", `Nobody has been told of that: ${names} has started no run for it.`);
}

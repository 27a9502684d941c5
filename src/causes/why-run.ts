/** Owns why a run is as it is: what it failed for, what started it, what of it is done, and who was told. */

import { counted } from "../base/counted.ts";
import { formatDuration } from "../base/duration.ts";
import { fullNameOf } from "../model/full-name.ts";
import { BAD_ENDINGS, type Run } from "../model/run.ts";
import type { ShownStep } from "../model/shown-rows.ts";
import type { Trigger } from "../model/trigger.ts";
import { nextDue } from "../replays/due-times.ts";
import type { Subject } from "../stories/find-story.ts";
import { eventOf, stepsOf } from "../stories/story.ts";
import { heardBy } from "./listeners.ts";
import { matchWords } from "./matches.ts";
import { aboutId, type NextCommand, type NotDone, notDone, reflexNamed, type Scene, type Why } from "./scene.ts";
import { unfinished } from "./unfinished.ts";
import { clock, moment, short } from "./words.ts";

export function whyRun(scene: Scene, run: Run, { signals, logs }: Subject): Why {
  const mended = mendedBy(scene, run);
  const isBad = BAD_ENDINGS.includes(run.state);
  const steps = stepsOf(logs);
  const joined = joinedRun(scene, run, logs);
  const heard = isBad ? heardBy(scene, run) : { done: [], notDone: [] };
  return {
    about: aboutId("run", run.id),
    isWrong: isBad && mended === null,
    since: run.ended_at ?? run.started_at ?? run.queued_at,
    signal: run.signal_id,
    what: [leadOf(scene, run, joined), ...(mended === null ? [] : [mendedWords(scene, mended)])],
    cause: [...originOf(scene, run, logs, signals), ...failingStep(run, steps)],
    done: [...stepsDone(run, steps), ...(joined === null ? [] : [leadOf(scene, joined, null)]), ...heard.done],
    notDone: [...(isBad ? notTriedAgain(scene, run) : []), ...heard.notDone],
    coming: isBad ? comingOf(scene, run) : [],
    next: joined === null ? commandsOf(run, isBad && mended === null) : commandsOfJoined(run, joined),
  };
}

/** The first run of the workflow that completed after this one ended badly; null where there is none. */
export function mendedBy({ store }: Scene, run: Run): Run | null {
  if (!BAD_ENDINGS.includes(run.state)) return null;
  const [last = null] = store.runs.list({ ...NEWEST, workflows: [run.workflow], states: ["completed"] });
  return last !== null && (last.ended_at ?? 0) > (run.ended_at ?? 0) ? last : null;
}

const NEWEST = {
  after: 0,
  before: null,
  since: null,
  until: null,
  trace: null,
  reflexes: [],
  limit: 1,
  newest: true,
} as const;

const mendedWords = ({ now }: Scene, { id, ended_at }: Run): string =>
  `The workflow has completed since: run ${id}, at ${moment(ended_at ?? 0, now)}.`;

/** The run that reports what this one was to report; null where this one joined none, or where the run is no longer kept. */
function joinedRun({ store }: Scene, { state }: Run, logs: Subject["logs"]): Run | null {
  if (state !== "joined") return null;
  const into = logs.map(eventOf).find((found) => found?.event === "run.joined");
  return into?.event === "run.joined" ? store.runs.byId(into.data.into) : null;
}

function leadOf(scene: Scene, run: Run, joined: Run | null): string {
  const { now } = scene;
  const name = `Run ${run.id} of ${run.workflow}`;
  const at = moment(run.ended_at ?? run.queued_at, now);
  const error = run.error === null ? "" : `: ${short(run.error)}`;
  switch (run.state) {
    case "failed":
      return `${name} failed at ${at}${error}.`;
    case "timed-out":
      return `${name} ran out of time at ${at}${error}.`;
    case "dropped":
      return `${name} was dropped at ${at}${error}.`;
    case "cancelled":
      return `${name} was cancelled at ${at}${error}.`;
    case "joined":
      return `${name} did nothing of its own: it joined ${joined === null ? "another run" : `run ${joined.id}`} at ${at}.`;
    case "completed":
      return `${name} completed at ${at}, and nothing is wrong with it.`;
    default:
      return `${name} has not ended: ${unfinished(scene, run).text}.`;
  }
}

const BY_HAND = "A person started the run by hand";

function originOf(scene: Scene, run: Run, logs: Subject["logs"], signals: Subject["signals"]): string[] {
  const { now, config } = scene;
  const { retry_of, reflex, signal_id, queued_at, key } = run;
  const at = `at ${moment(queued_at, now)}`;
  if (retry_of !== null) return [`A person had the run repeat run ${retry_of} ${at}.`];
  if (reflex === null) return [`${BY_HAND} ${at}.`];
  const trigger = triggerOf(logs);
  const report = trigger?.incident ?? null;
  const what =
    report === null ? "" : ` to report incident ${report.id} (${short(report.summary)}, ${report.notification})`;
  if (signal_id === null) {
    const due = trigger?.due ?? null;
    return [`Reflex ${reflex} started the run at its time${due === null ? "" : `, ${clock(due, now)}`}.`];
  }
  const signal = signals.find(({ id }) => id === signal_id);
  const rule = reflexNamed(scene, reflex);
  const words = signal === undefined || config === null || rule === null ? null : matchWords(config, rule, signal, key);
  const match = words === null ? "" : `: ${words}`;
  const of = signal === undefined ? "" : ` of ${fullNameOf(signal)}`;
  return [`Reflex ${reflex} started the run${what} for signal #${signal_id}${of}${match}.`];
}

/** What started the run, as its first log has it. */
function triggerOf(logs: Subject["logs"]): Trigger | null {
  for (const log of logs) {
    const found = eventOf(log);
    if (found?.event === "run.queued") return found.data.trigger;
  }
  return null;
}

function failingStep({ state, error, attempt }: Run, steps: readonly ShownStep[]): string[] {
  if (state !== "failed" && state !== "timed-out") return [];
  const last = steps.findLast((step) => step.state === "failed");
  const tries = attempt > 1 ? [`The run was tried ${attempt} times.`] : [];
  const hung = state === "timed-out" ? steps.findLast((step) => step.state === "started") : undefined;
  if (hung !== undefined) return [`The step ${short(hung.step)} of the run had not ended.`, ...tries];
  if (last === undefined) return tries;
  const times = last.attempt > 1 ? ` after ${last.attempt} tries` : "";
  const because = last.error === null || error?.includes(last.error) === true ? "" : `: ${short(last.error)}`;
  return [`The run failed in its step ${short(last.step)}${times}${because}.`, ...tries];
}

function stepsDone({ state }: Run, steps: readonly ShownStep[]): string[] {
  const done = steps.filter((step) => step.state === "completed").length;
  if (done === 0 || state === "completed") return [];
  return [`${counted(done, "step")} had finished, and ${done === 1 ? "is" : "are"} not done again by a retry.`];
}

function notTriedAgain({ config, store, now }: Scene, run: Run): NotDone[] {
  const retry = config?.workflows.get(run.workflow)?.retry ?? null;
  if (run.state === "dropped") {
    const holder = store.runs.active().find(({ workflow, state }) => workflow === run.workflow && state === "running");
    const since = moment(holder?.started_at ?? holder?.queued_at ?? now, now);
    const who =
      holder === undefined ? "" : ` Run ${holder.id} has been running since ${since}, and the others wait for it.`;
    return [notDone("dropped", `Nothing of the run was done, and a dropped run is not tried again by itself.${who}`)];
  }
  if (config === null || !config.workflows.has(run.workflow)) return [];
  if (retry === null)
    return [notDone("no-retry", `The run was not tried again, because ${run.workflow} has no \`retry\`.`)];
  const text =
    run.attempt > retry.limit
      ? `The run is not tried again: \`retry: { limit: ${retry.limit} }\` is used up.`
      : "The run was not tried again, because another attempt would fail in the same way.";
  return [notDone("no-retry", text)];
}

function comingOf(scene: Scene, { reflex }: Run): string[] {
  const rule = reflexNamed(scene, reflex);
  if (rule === null || !scene.isRunning) return [];
  const due = nextDue(rule, scene.now);
  if (due === null) return [];
  const every = rule.cron === null ? `every ${formatDuration(rule.intervalMs ?? 0)}` : `by cron ${rule.cron}`;
  return [`The next run is due at ${moment(due, scene.now)}, ${every}.`];
}

const commandsOfJoined = ({ id }: Run, joined: Run): NextCommand[] => [
  { command: `nerve why run:${joined.id}`, does: "why the run that it joined is as it is" },
  { command: `nerve show run:${id}`, does: "its whole story" },
];

function commandsOf({ id, state }: Run, isWrong: boolean): NextCommand[] {
  const show = { command: `nerve show run:${id}`, does: "its whole story" };
  if (isWrong && state === "dropped") return [{ command: `nerve retry ${id}`, does: "does it after all" }, show];
  if (isWrong)
    return [show, { command: `nerve retry ${id}`, does: "once that is mended; goes on behind its finished steps" }];
  if (state === "queued" || state === "running" || state === "sleeping") {
    return [show, { command: `nerve cancel ${id}`, does: "ends it before its time" }];
  }
  return [show];
}

/** Owns what became of the runs that report an incident: who was told of what, and who was not and why not. */
import { counted } from "../base/counted.ts";
import { withoutChannel } from "../model/channel.ts";
import type { Notification } from "../model/incident.ts";
import { incidentEventOf } from "../model/incident-row.ts";
import type { Log } from "../model/log.ts";
import { isOver, type Run } from "../model/run.ts";
import { eventOf } from "../stories/story.ts";
import { readFields } from "./fields.ts";
import { REPORTS } from "./held.ts";
import { type NotDone, notDone, type Scene } from "./scene.ts";
import { unfinished } from "./unfinished.ts";
import { listed, moment, short } from "./words.ts";

export interface Report {
  /** The run that reports it: where the run of the report was joined to another, that one. */
  readonly run: Run;
  readonly notification: Notification;
}

/** In their order, those that one run reports together once. A run that is no longer kept is left out. */
export function reportsIn({ store }: Scene, logs: readonly Log[], runs: readonly Run[]): Report[] {
  const seen = new Set<string>();
  const byId = new Map(runs.map((run) => [run.id, run.state === "joined" ? joinedTo(store, run) : run]));
  return logs.flatMap((log) => {
    const found = incidentEventOf(log);
    if (found?.event.event !== "incident.notified") return [];
    const { run: id, notification } = found.event.data;
    const run = byId.get(id);
    const report = `${notification} ${run?.id}`;
    if (run === undefined || seen.has(report)) return [];
    seen.add(report);
    return [{ run, notification }];
  });
}

/** The run itself where the other one is no longer kept. */
function joinedTo({ history, runs }: Scene["store"], run: Run): Run {
  for (const log of history.eachOfRun(run.id, run.last_log_id)) {
    const found = eventOf(log);
    if (found?.event === "run.joined") return runs.byId(found.data.into) ?? run;
  }
  return run;
}

/** Bad ones that are named one by one. */
const NAMED = 3;

/** Channels that took the message of a run of `notify` that has not ended. */
function toldSoFar({ store, config }: Scene, run: Run): string[] {
  if (config === null || config.workflows.get(run.workflow)?.use !== "notify") return [];
  return [...store.history.eachOfRun(run.id, run.first_log_id)].flatMap((log) => {
    const found = eventOf(log);
    return found?.event === "step.completed" && config.channels.has(found.data.step) ? found.data.step : [];
  });
}

/** Reports that some channels took, and that others have not taken yet. */
const doneInPart = (scene: Scene, reports: readonly Report[]): string[] =>
  reports.flatMap(({ run, notification }) => {
    const told = isOver(run.state) ? [] : toldSoFar(scene, run);
    return told.length === 0
      ? []
      : `Workflow ${run.workflow} told ${listed(told)} of ${REPORTS[notification]} in run ${run.id}, which has not ended.`;
  });

export const doneIn = (scene: Scene, reports: readonly Report[]): string[] => [
  ...doneWhole(scene, reports),
  ...doneInPart(scene, reports),
];

function doneWhole({ now }: Scene, reports: readonly Report[]): string[] {
  const completed = reports.filter(({ run }) => run.state === "completed" && toldIn(run).isTold);
  return [...Map.groupBy(completed, ({ run }) => run.workflow)].map(([workflow, ofWorkflow]) => {
    const parts = [...Map.groupBy(ofWorkflow, ({ notification }) => notification)].map(([notification, of]) => {
      const last = of.at(-1)?.run;
      const at = last?.ended_at ?? 0;
      const what = of.length === 1 ? REPORTS[notification] : counted(of.length, "reminder");
      const latest = of.length === 1 ? "" : ", the last";
      return `${what}${latest} at ${moment(at, now)} in run ${last?.id}`;
    });
    const channels = new Set(ofWorkflow.flatMap(({ run }) => toldIn(run).channels));
    const verb = channels.size === 0 ? "reported" : `told ${listed([...channels])} of`;
    return `Workflow ${workflow} ${verb} ${listed(parts)}.`;
  });
}

/** What the built-in `notify` says of itself; any other workflow that completed has done what it does. */
function toldIn(run: Run): { readonly isTold: boolean; readonly channels: readonly string[] } {
  const { told, failed } = readFields(run.output);
  if (!Array.isArray(told) || !Array.isArray(failed)) return { isTold: true, channels: [] };
  return { isTold: told.length > 0, channels: told.map(String) };
}

export function notDoneIn(scene: Scene, reports: readonly Report[]): NotDone[] {
  const { now } = scene;
  const bad = reports.filter(({ run }) => isOver(run.state) && run.state !== "completed" && run.state !== "joined");
  const named = bad.slice(-NAMED).map(({ run, notification }) => {
    const what = REPORTS[notification];
    const at = moment(run.ended_at ?? run.queued_at, now);
    const error = run.error === null ? "" : `: ${short(run.error)}`;
    if (run.state === "dropped") {
      return notDone(
        "dropped",
        `Workflow ${run.workflow} did not report ${what}: run ${run.id} was dropped at ${at}${error}.`,
      );
    }
    const how = run.state === "timed-out" ? "timed out" : run.state === "cancelled" ? "was cancelled" : "failed";
    const reason = run.state === "cancelled" ? "cancelled" : "failed";
    return notDone(reason, `Nobody got ${what} from ${run.workflow}: run ${run.id} ${how} at ${at}${error}.`);
  });
  const more = bad.length - named.length;
  const rest = more <= 0 ? [] : [notDone("failed", `${counted(more, "earlier report")} ended badly too.`)];
  return [
    ...rest,
    ...named,
    ...reports
      .filter(({ run }) => !isOver(run.state))
      .map(({ run, notification }) => underWay(scene, run, notification)),
    ...logOnly(reports, bad.length),
    ...channelsThatFailed(reports),
  ];
}

function underWay(scene: Scene, run: Run, notification: Notification): NotDone {
  const { text, reason, until } = unfinished(scene, run);
  const what = REPORTS[notification];
  const lacks = toldSoFar(scene, run).length === 0 ? `reported ${what}` : `told all its channels of ${what}`;
  return notDone(reason, `Workflow ${run.workflow} has not ${lacks} yet: ${text}.`, until);
}

/** `notify` without channels writes to the log. */
function logOnly(reports: readonly Report[], bad: number): NotDone[] {
  const silent = reports.filter(({ run }) => run.state === "completed" && !toldIn(run).isTold);
  const [first] = silent;
  if (first === undefined || silent.length + bad < reports.length) return [];
  const { workflow } = first.run;
  return [
    notDone(
      "no-channel",
      `No person got a message, because ${workflow} has no channel in \`to\`: it wrote to the log.`,
    ),
  ];
}

/** A report that others got. */
function channelsThatFailed(reports: readonly Report[]): NotDone[] {
  const last = reports.findLast(({ run }) => run.state === "completed");
  const { failed } = readFields(last?.run.output ?? null);
  if (last === undefined || !Array.isArray(failed)) return [];
  return failed.flatMap((one) => {
    const { channel, error } = readFields(one);
    if (typeof channel !== "string") return [];
    return [
      notDone(
        "failed",
        `Nobody was told over ${short(channel)} by run ${last.run.id}: ${short(withoutChannel(channel, String(error)))}.`,
      ),
    ];
  });
}

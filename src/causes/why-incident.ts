/** Owns why an incident is there, who was told of it, and who was not and why not. */

import { formatDuration } from "../base/duration.ts";
import type { IncidentConfig, ReflexConfig } from "../model/config.ts";
import { fullNameOf, isRemote } from "../model/full-name.ts";
import { type Incident, incidentEventOf, isResolved } from "../model/incident-row.ts";
import type { Log } from "../model/log.ts";
import type { Silence } from "../model/silence.ts";
import { pendingOf, silenceOver } from "../replays/account.ts";
import { deadlinesOf, nextEscalation } from "../rules/incident-deadlines.ts";
import type { OpenIncident } from "../rules/incident-state.ts";
import type { KeyState } from "../rules/key-state.ts";
import { ruleOf } from "../rules/rule.ts";
import type { Subject } from "../stories/find-story.ts";
import { healthOf } from "./health.ts";
import { heldNow, heldThen, REPORTS, reasonOf } from "./held.ts";
import { matchWords } from "./matches.ts";
import { doneIn, notDoneIn, type Report, reportsIn } from "./reports.ts";
import { aboutId, type NextCommand, type NotDone, notDone, reflexNamed, type Scene, type Why } from "./scene.ts";
import { lasted, moment, short, span } from "./words.ts";

export function whyIncident(scene: Scene, incident: Incident, { signals, logs, runs }: Subject): Why {
  const { id, reflex, opened_at, signal_id } = incident;
  const config = reflexNamed(scene, reflex);
  const state = rememberedOf(scene, incident);
  const reports = reportsIn(scene, logs, runs);
  const done = doneIn(scene, reports);
  return {
    about: aboutId("incident", id),
    isWrong: !isResolved(incident),
    since: opened_at,
    signal: signal_id,
    what: whatOf(scene, incident, logs, done.length > 0),
    cause: causeOf(scene, incident, config, signals),
    done,
    notDone: [
      ...heldOf(scene, incident, state, logs),
      ...notDoneIn(scene, reports),
      ...(isResolved(incident) ? [] : remindersOf(incident, config)),
      ...(isResolved(incident) ? [] : unwellSenses(scene, config)),
    ],
    coming: isResolved(incident) ? [] : comingOf(scene, config, state),
    next: commandsOf(
      incident,
      failedIn(reports),
      config === null ? null : silenceOver(scene.store, config, scene.axis),
    ),
  };
}

/** What the reflex remembers of the key of the incident; null where that is gone. */
function rememberedOf({ store }: Scene, { id, reflex }: Incident): KeyState | null {
  const found = pendingOf(store, reflex, null).find(({ state: { incident } }) => {
    return incident?.open?.id === id || incident?.owed.some((one) => one.id === id) === true;
  });
  return found?.state ?? null;
}

function whatOf({ now }: Scene, incident: Incident, logs: readonly Log[], isTold: boolean): string[] {
  const { id, severity, summary, state, opened_at, resolved_at, acked_at, acked_by, count, reason } = incident;
  const flaps = count === 1 ? [] : [`The incident began ${count} times, and nerve counts that as one.`];
  const title = `Incident ${id} (${severity})`;
  if (state === "resolved") {
    const end = resolved_at ?? opened_at;
    const because = reason === null ? "" : `: ${short(reason)}`;
    const lead = `${title} is over: ${short(summary)}, ${span(opened_at, end, now)}, for ${lasted(end - opened_at)}.`;
    return [lead, ...flaps, ...(because === "" ? [] : [`The incident did not end by itself${because}.`])];
  }
  const since = `since ${moment(opened_at, now)}`;
  if (state === "open") {
    const known = isTold ? "and nobody has acknowledged it" : "and nobody has been told of it";
    return [`${title} is open: ${short(summary)}, ${since}, ${known}.`, ...flaps];
  }
  const why = ackedBecause(logs);
  const said = why === null ? "" : `: ${short(why)}`;
  return [
    `${title} is open and acknowledged: ${short(summary)}, ${since}.`,
    `${short(acked_by ?? "a person")} acknowledged the incident at ${moment(acked_at ?? opened_at, now)}${said}.`,
    ...flaps,
  ];
}

function ackedBecause(logs: readonly Log[]): string | null {
  for (const log of [...logs].reverse()) {
    const found = incidentEventOf(log);
    if (found?.event.event === "incident.acked") return found.event.data.why;
  }
  return null;
}

function causeOf(
  { config: loaded }: Scene,
  { reflex, signal_id, key }: Incident,
  config: ReflexConfig | null,
  signals: Subject["signals"],
): string[] {
  const opening = signals.find(({ id }) => id === signal_id);
  const by = loaded !== null && config === null ? `${reflex}, which is no longer in the config` : reflex;
  if (opening === undefined) {
    const which = signal_id === null ? "" : ` for signal #${signal_id}, which is no longer kept`;
    return [`Reflex ${by} opened the incident${which}.`];
  }
  const words = loaded === null || config === null ? null : matchWords(loaded, config, opening, key);
  const first = signals[0];
  const from =
    first === undefined || first.id === opening.id ? "" : `, which followed from #${first.id} of ${fullNameOf(first)}`;
  const match = words === null ? "" : `: ${words}`;
  return [`Reflex ${by} opened the incident for signal #${opening.id} of ${fullNameOf(opening)}${from}${match}.`];
}

/** Reports that are held back; of an incident that was never reported, what held its reports back to its end. */
function heldOf(scene: Scene, incident: Incident, state: KeyState | null, logs: readonly Log[]): NotDone[] {
  const { id, reflex, notified_at } = incident;
  const memory = state?.incident ?? null;
  const held = [
    ...(memory?.open?.id === id ? memory.open.held : []),
    ...(memory?.owed ?? []).filter((one) => one.id === id).map((one) => one.held),
  ];
  const now = held.map(({ workflow, notification, by, until }) =>
    heldNow(scene, { reflex, workflow, notification, by, until: until === null ? null : scene.axis.wallAt(until) }),
  );
  if (now.length > 0 || notified_at !== null) return now;
  const last = logs.map(incidentEventOf).findLast((found) => found?.event.event === "incident.suppressed");
  if (last?.event.event !== "incident.suppressed") {
    return isResolved(incident)
      ? [notDone("resolved", "Nobody was told of the incident: no report of it was decided.")]
      : [];
  }
  const { by, workflow, notification } = last.event.data;
  const until = isResolved(incident) ? ", and the incident was over before that ended" : "";
  const text = `Nobody was told of the incident: ${heldThen(by, workflow)} held ${REPORTS[notification]} back${until}.`;
  return [notDone(reasonOf(by), text)];
}

const wordsOf = (config: ReflexConfig | null): IncidentConfig | null =>
  config?.kind === "workflow" ? config.incident : null;

function remindersOf({ state, notified_at }: Incident, config: ReflexConfig | null): NotDone[] {
  const words = wordsOf(config);
  if (words === null) return [];
  const more = [
    ...(words.remindEveryMs === null ? [] : ["reminds"]),
    ...(words.escalate.length === 0 ? [] : ["escalates"]),
  ];
  if (state === "acked") {
    return more.length === 0
      ? []
      : [
          notDone(
            "acknowledged",
            "Nobody is reminded and nothing is escalated, because the incident is acknowledged. Its end is reported.",
          ),
        ];
  }
  if (more.length > 0 || notified_at === null) return [];
  return [notDone("no-reminder", "No reminder follows, because the reflex has neither `remind_every` nor `escalate`.")];
}

function unwellSenses(scene: Scene, config: ReflexConfig | null): NotDone[] {
  return (config?.on ?? []).flatMap((sense) => {
    if (isRemote(sense)) return [];
    const { state, since } = healthOf(scene, sense);
    if (state === "ok") return [];
    const at = since === null ? "" : ` since ${moment(since, scene.now)}`;
    const reason = state === "quarantined" || state === "disabled" ? state : "unwell";
    return [notDone(reason, `The incident cannot resolve by itself while the sense ${sense} is ${state}${at}.`)];
  });
}

function comingOf(scene: Scene, config: ReflexConfig | null, state: KeyState | null): string[] {
  const open = state?.incident?.open ?? null;
  const rule = config === null ? null : ruleOf(config).incident;
  if (open === null || state === null || rule === null || !scene.isRunning) return [];
  const at = (elapsed: number): string => moment(scene.axis.wallAt(elapsed), scene.now);
  const dues = new Map(deadlinesOf(rule, state).map(({ kind, due }) => [kind, at(due)]));
  const [resolve, escalate, remind] = [dues.get("resolve"), dues.get("escalate"), dues.get("remind")];
  return [
    ...(resolve === undefined ? [] : [endingOf(open, rule.resolveAfterMs, at, resolve)]),
    ...(escalate === undefined
      ? []
      : [`If nobody acknowledges the incident, ${nextEscalation(rule, open)?.workflow} is told at ${escalate}.`]),
    ...(remind === undefined ? [] : [`The next reminder is due at ${remind}.`]),
  ];
}

const endingOf = (open: OpenIncident, resolveAfterMs: number, at: (elapsed: number) => string, due: string): string =>
  `The key has not matched since ${at(open.off ?? 0)}, and resolves at ${due} if it stays so (\`resolve_after: ${formatDuration(resolveAfterMs)}\`).`;

/** The newest report that failed, where no later one of its workflow completed. */
function failedIn(reports: readonly Report[]): number | null {
  const [first] = reports.filter(({ run }) => run.state === "failed").reverse();
  if (first === undefined) return null;
  const isMended = reports.some(
    ({ run }) => run.id > first.run.id && run.workflow === first.run.workflow && run.state === "completed",
  );
  return isMended ? null : first.run.id;
}

function commandsOf({ id, state, reflex }: Incident, failed: number | null, silence: Silence | null): NextCommand[] {
  const show = { command: `nerve show incident:${id}`, does: "its whole story" };
  const run = failed === null ? [] : [{ command: `nerve retry ${failed}`, does: "sends the report that failed again" }];
  if (state === "open") {
    const ack = { command: `nerve ack ${id} --why "…"`, does: "ends reminders and escalations" };
    const loud = {
      command: `nerve silence "${silence?.pattern}" --end`,
      does: "ends the silence: the report comes at once",
    };
    return [ack, ...(silence === null ? [] : [loud]), ...run, show];
  }
  if (state === "acked")
    return [...run, show, { command: `nerve resolve ${id} --why "…"`, does: "if it is mended and stays open" }];
  return [show, ...run, { command: `nerve explain ${reflex}`, does: "what the reflex made of its latest signals" }];
}

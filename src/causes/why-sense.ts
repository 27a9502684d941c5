/** Owns why a sense is as it is, and what does not happen because of that. */
import { counted } from "../base/counted.ts";
import type { NerveConfig, ReflexConfig, SenseConfig } from "../model/config.ts";
import type { Signal } from "../model/signal.ts";
import { nextDue } from "../replays/due-times.ts";
import { ALL_LOGS } from "../store/logs.ts";
import { ALL_SIGNALS } from "../store/signals.ts";
import { readFields } from "./fields.ts";
import { type Health, healthOf } from "./health.ts";
import { inboxCommands, inboxNotDone, inboxOf, inboxTrouble, inboxWords } from "./inboxes.ts";
import { aboutName, type NextCommand, type NotDone, notDone, type Scene, type Why } from "./scene.ts";
import { listed, moment, short } from "./words.ts";

export function whySense(scene: Scene, config: NerveConfig, sense: SenseConfig): Why {
  const { store, now } = scene;
  const { name } = sense;
  const inbox = inboxOf(scene, sense);
  const trouble = inbox === null ? null : inboxTrouble(inbox);
  const health = healthOf(scene, name);
  const [last = null] = store.signals.list({ ...ALL_SIGNALS, senses: [name], limit: 1, newest: true });
  const runners = config.reflexes.filter((reflex) => reflex.kind === "sense" && reflex.sense === name);
  const isUnwell = health.state !== "ok" && health.state !== "disabled";
  const isWrong = isUnwell || trouble !== null;
  return {
    about: aboutName("sense", name),
    isWrong,
    since: health.since,
    signal: last?.id ?? null,
    what: [
      trouble !== null && health.state === "ok"
        ? `Sense ${name} computes, and its inbox wants a person.`
        : leadOf(scene, name, health, last),
      ...(inbox === null ? [] : inboxWords(scene, inbox)),
      ...lagWords(scene, config, name),
      ...unseenWords(scene, runners),
      ...ownWords(scene, name),
    ],
    cause: health.state === "quarantined" ? [quarantineWords(health)] : [],
    done: isWrong && last !== null ? [`Its last signal, #${last.id}, came at ${moment(last.at, now)}.`] : [],
    notDone: [
      ...notComputed(scene, name, health, runners),
      ...(inbox === null ? [] : inboxNotDone(inbox)),
      ...notDecided(scene, config, name, health),
    ],
    coming: comingOf(scene, name, health, runners),
    next: [
      ...switchedOff(scene, runners).map((reflex) => ({
        command: `nerve enable reflex:${reflex}`,
        does: "switches the reflex on again",
      })),
      ...(inbox === null ? [] : inboxCommands(inbox)),
      ...commandsOf(sense, health, last),
    ],
  };
}

/** A delivery that is younger is on its way. */
const LAG_MS = 10_000;

/** Signals that have waited to be delivered. */
function lagWords({ status, now }: Scene, { reflexes }: NerveConfig, name: string): string[] {
  const lag = status?.deliveries.find(({ sense }) => sense === name);
  if (lag === undefined || now - lag.since < LAG_MS) return [];
  const from = reflexes.flatMap((reflex) =>
    reflex.kind === "sense" && reflex.sense === name && reflex.deliver === true ? reflex.on : [],
  );
  const wait = lag.waiting === 1 ? "waits" : "wait";
  return [
    `${counted(lag.waiting, "signal")} of ${listed(from)} ${wait} to be delivered, the oldest since ${moment(lag.since, now)}; none is lost while \`retention.signals\` keeps it.`,
  ];
}

/** At most so many are said, of so many warnings of the kernel. */
const LIMITS = 3;
const LIMITS_READ = 200;
const LIMITS_BACK_MS = 24 * 3_600_000;

/** What the kernel could not watch since nerve started, or not all of it. */
function unseenWords({ store, status, now }: Scene, runners: readonly ReflexConfig[]): string[] {
  const watching = runners.filter((reflex) => reflex.kind === "sense" && reflex.watch !== null).map(({ name }) => name);
  if (watching.length === 0 || status === null) return [];
  const since = Math.max(status.kernel.started_at, now - LIMITS_BACK_MS);
  const page = { ...ALL_LOGS, sources: ["kernel"], since, level: "warn", limit: LIMITS_READ, newest: true } as const;
  const limits = store.history.page(page).filter(({ event, data }) => {
    if (event !== "watch.limited") return false;
    const { reflex } = readFields(data);
    return typeof reflex !== "string" || watching.includes(reflex);
  });
  return limits.slice(-LIMITS).map(({ message }) => `nerve cannot see all that it watches: ${short(message)}.`);
}

/** The newest log is looked for among so many of the sense. */
const OWN_READ = 50;

/** What the module itself has said last since nerve started, as that this host has no journal. */
function ownWords({ store, status, now }: Scene, name: string): string[] {
  if (status === null) return [];
  const since = status.kernel.started_at;
  const page = { ...ALL_LOGS, sources: [`sense:${name}`], since, limit: OWN_READ, newest: true } as const;
  const said = store.history.page(page).findLast(({ event }) => event === "log");
  return said === undefined ? [] : [`At ${moment(said.at, now)} ${name} itself said: ${short(said.message)}.`];
}

function leadOf({ now }: Scene, name: string, health: Health, last: Signal | null): string {
  const since = health.since === null ? "" : ` since ${moment(health.since, now)}`;
  const reason = health.reason === null ? "" : `: ${short(health.reason)}`;
  switch (health.state) {
    case "ok": {
      const newest =
        last === null ? "it has emitted no signal" : `its last signal, #${last.id}, came at ${moment(last.at, now)}`;
      return `Sense ${name} is well: ${newest}.`;
    }
    case "quarantined":
      return `Sense ${name} has been quarantined${since}: its worker died ${health.deaths} times while ${name} ran alone.`;
    case "failing":
      return `Sense ${name} has been failing${since}${reason}.`;
    case "failed":
      return `Sense ${name} has not loaded${since}${reason}.`;
    case "stale":
      return `Sense ${name} has been stale${since}${reason}.`;
    case "disabled":
      return `Sense ${name} has been disabled${since}: a person switched it off.`;
  }
}

const quarantineWords = ({ reason }: Health): string =>
  reason === null ? "How the worker died is no longer logged." : `The last death: ${short(reason)}.`;

function notComputed(
  scene: Scene,
  name: string,
  { state, until }: Health,
  runners: readonly ReflexConfig[],
): NotDone[] {
  if (state === "quarantined") {
    const then = until === null ? "" : `, or until the quarantine ends by itself at ${moment(until, scene.now)}`;
    return [notDone("quarantined", `The sense computes nothing until a person enables it${then}.`, until)];
  }
  if (state === "disabled") return [notDone("disabled", "The sense computes nothing until a person enables it.")];
  if (state === "failed") return [notDone("not-loaded", "The sense computes nothing until it loads.")];
  if (runners.length === 0) return [notDone("nobody-listens", `No reflex runs ${name}, so it computes by hand alone.`)];
  return switchedOff(scene, runners).map((reflex) =>
    notDone("disabled", `Reflex ${reflex} is disabled, so it wakes ${name} for nothing until a person enables it.`),
  );
}

/** The names of those that a person has disabled. */
function switchedOff({ store }: Scene, runners: readonly ReflexConfig[]): string[] {
  const disabled = store.switches.disabled();
  return runners.map(({ name }) => name).filter((name) => disabled.includes(`reflex:${name}`));
}

/** At most so many reflexes are named. */
const NAMED = 4;

/** Reflexes that hear nothing, and their incidents that no look can resolve. */
function notDecided(
  { store, now }: Scene,
  { reflexes }: NerveConfig,
  name: string,
  { state, since }: Health,
): NotDone[] {
  const deaf = reflexes.filter(({ on }) => on.includes(name)).map((reflex) => reflex.name);
  if (deaf.length === 0) {
    return state === "ok"
      ? [notDone("nobody-listens", `No reflex listens to ${name}: nothing follows from its signals.`)]
      : [];
  }
  if (state === "ok") return [];
  const reason = state === "quarantined" || state === "disabled" ? state : "unwell";
  const names = listed([...deaf.slice(0, NAMED), ...(deaf.length > NAMED ? [`${deaf.length - NAMED} more`] : [])]);
  const at = since === null ? "" : ` since ${moment(since, now)}`;
  const [look, has] = deaf.length === 1 ? ["Reflex", "has"] : ["Reflexes", "have"];
  const open = store.incidents.open().filter(({ reflex }) => deaf.includes(reflex));
  return [
    notDone(reason, `${look} ${names} ${has} looked at nothing${at}, and can neither fire nor resolve.`),
    ...(open.length === 0
      ? []
      : [
          notDone(
            reason,
            `${counted(open.length, "incident")} of theirs ${open.length === 1 ? "stays" : "stay"} open.`,
          ),
        ]),
  ];
}

function comingOf(
  { now, isRunning }: Scene,
  name: string,
  { state }: Health,
  runners: readonly ReflexConfig[],
): string[] {
  if (!isRunning || (state !== "ok" && state !== "failing")) return [];
  const dues = runners.flatMap((reflex) => nextDue(reflex, now) ?? []);
  return dues.length === 0 ? [] : [`The next compute of ${name} is due at ${moment(Math.min(...dues), now)}.`];
}

function commandsOf(
  { name, group, inbox }: SenseConfig,
  { state, reason }: Health,
  last: Signal | null,
): NextCommand[] {
  const logs = { command: `nerve logs ${name} --level warn`, does: "what went wrong" };
  const once = { command: `nerve once ${name}`, does: "one compute on a scratch copy, to see it fail or not" };
  if (state === "quarantined")
    return [logs, once, { command: `nerve enable sense:${name}`, does: "lifts the quarantine" }];
  if (state === "disabled") return [{ command: `nerve enable sense:${name}`, does: "switches it on again" }];
  if (state === "failed")
    return [
      { command: "nerve check", does: "what is wrong, and where" },
      { command: "nerve reload", does: "once that is mended" },
    ];
  if (state === "stale" && reason?.includes("expect_every") === true)
    return [inbox === null ? once : { command: `nerve inbox ${name}`, does: "whether something has come" }, logs];
  if (state === "stale") return [{ command: "nerve status", does: `how its group ${group} is` }, logs];
  if (state === "failing") return [logs, once];
  return last === null ? [once] : [{ command: `nerve signals ${name}`, does: "what it sees" }];
}

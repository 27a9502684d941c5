/** Owns the words for what holds a report of an incident back: a silence, quiet hours, another incident, a full queue. */
import type { Notification } from "../model/incident.ts";
import { silenceOver } from "../replays/account.ts";
import { type NotDone, notDone, type Reason, reflexNamed, type Scene } from "./scene.ts";
import { listed, moment, short } from "./words.ts";

export const REPORTS: Readonly<Record<Notification, string>> = {
  opened: "the opening",
  reminded: "a reminder",
  escalated: "the escalation",
  resolved: "the resolution",
};

const INHIBITED = "inhibited_by:";

/** The graver word of several: what a person can change first. */
export const reasonOf = (by: readonly string[]): Reason => {
  const [first = ""] = by;
  if (first.startsWith(INHIBITED)) return "inhibited";
  return first === "silence" || first === "quiet_hours" ? first : "queue";
};

interface Back {
  readonly reflex: string;
  readonly workflow: string;
  readonly notification: Notification;
  readonly by: readonly string[];
  /** Unix milliseconds; null where no time says so. */
  readonly until: number | null;
}

/** What holds a report back now. */
export function heldNow(scene: Scene, back: Back): NotDone {
  const { workflow, notification, by, until } = back;
  const why = listed(by.map((one) => wordsNow(scene, back, one)));
  const stays = notification === "resolved" ? "" : ", if the incident is still open then";
  const text = `Workflow ${workflow} has not reported ${REPORTS[notification]}, because ${why}. The report comes afterwards${stays}.`;
  return notDone(reasonOf(by), text, until);
}

function wordsNow(scene: Scene, { reflex, workflow, by: all, until }: Back, by: string): string {
  // With a silence beside them the time is that of whichever ends last.
  const isKnown = until !== null && !all.includes("silence");
  if (by === "quiet_hours") return `quiet hours last${isKnown ? ` until ${moment(until, scene.now)}` : ""}`;
  if (by === "queue") return `the queue of ${workflow} is full`;
  if (by.startsWith(INHIBITED)) return inhibitor(scene, by.slice(INHIBITED.length));
  const config = reflexNamed(scene, reflex);
  const silence = config === null ? null : silenceOver(scene.store, config, scene.axis);
  if (silence === null) return `${reflex} is silenced`;
  return `${silence.pattern} is silenced until ${moment(silence.until, scene.now)} (${short(silence.why)})`;
}

function inhibitor({ store }: Scene, name: string): string {
  const open = store.incidents.open().find(({ reflex }) => reflex === name);
  if (open === undefined) return `${name} has an open incident`;
  return `incident ${open.id} of ${name} is open (${short(open.summary)})`;
}

/** What held a report back once, as the end of a sentence. */
export function heldThen(by: readonly string[], workflow: string): string {
  const words = by.map((one) => {
    if (one === "quiet_hours") return "quiet hours";
    if (one === "queue") return `a full queue of ${workflow}`;
    return one.startsWith(INHIBITED) ? `an open incident of ${one.slice(INHIBITED.length)}` : "a silence";
  });
  return listed(words);
}

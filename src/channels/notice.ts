/**
 * Owns notices: made of the trigger of a run, or of an author's words. All texts come from outside, so each is one line and
 * bounded.
 */
import type { Json } from "../base/json.ts";
import { oneLine } from "../base/one-line.ts";
import { DEFAULT_SEVERITY, NOTIFICATIONS, SEVERITIES, type Severity, type TriggerIncident } from "../model/incident.ts";
import type { Cause, Fact, FactList, Notice } from "../model/notice.ts";
import { lasted, moment } from "./words.ts";

/** The part of a trigger that a notice needs. */
export interface Occasion {
  readonly id: number | null;
  readonly sense: string | null;
  readonly at: number | null;
  readonly payload: unknown;
  readonly reflex: string | null;
  readonly key: unknown;
  readonly due: number | null;
  readonly incident: TriggerIncident | null;
}

/** The trigger of a run that may have waited for others. */
export interface Trigger extends Occasion {
  readonly batch: { readonly items: readonly Occasion[]; readonly more: number } | null;
}

/** An author's own words. */
export interface Words {
  readonly title: string;
  readonly text: string;
  readonly severity: Severity;
}

/** The sender and the time. `scope` is the host and its store: ids of incidents, runs and steps belong to them. */
export interface Teller {
  readonly host: string;
  readonly scope: string;
  readonly now: number;
}

const MAX_SUMMARY = 200;
const MAX_VALUE = 600;
const MAX_RULE = 300;
const MAX_LINE = 300;
const MAX_NAME = 60;
const SHOWN_PROCESSES = 3;
const MAX_TEXT = 64 * 1024;

const own = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

const shown = (value: unknown, max: number): string =>
  oneLine(typeof value === "string" ? value : (JSON.stringify(value) ?? "–"), max);

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what no text may hold
const UNFIT = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** An author's text keeps its line ends. */
const textOf = (text: string): string =>
  text
    .slice(0, MAX_TEXT)
    .toWellFormed()
    .replace(/\r\n?|[\u2028\u2029\u0085]/g, "\n")
    .replace(UNFIT, "")
    .trim();

const severityIn = (payload: unknown): Severity =>
  [own(payload, "severity"), own(payload, "status")].flatMap(
    (given) => SEVERITIES.find((one) => one === given) ?? [],
  )[0] ?? DEFAULT_SEVERITY;

/** The fields that the rule asks about, or else the whole payload. */
function valueIn(payload: unknown, rule: Json): string {
  if (typeof rule !== "object" || rule === null || Array.isArray(rule)) return shown(payload, MAX_VALUE);
  const asked = Object.keys(rule)
    .map((name) => name.replace(/\?$/, ""))
    .filter((name) => own(payload, name) !== undefined);
  if (asked.length === 0) return shown(payload, MAX_VALUE);
  return oneLine(asked.map((name) => `${name} ${shown(own(payload, name), MAX_VALUE)}`).join(", "), MAX_VALUE);
}

/** A rule as text: `used_percent: number >= 90`. */
function ruleIn(rule: Json): string {
  if (typeof rule !== "object" || rule === null || Array.isArray(rule)) return shown(rule, MAX_RULE);
  return oneLine(
    Object.entries(rule)
      .map(([name, pattern]) => `${name}: ${shown(pattern, MAX_RULE)}`)
      .join(", "),
    MAX_RULE,
  );
}

const fact = (label: string, value: string | null): Fact[] =>
  value === null || value === "" ? [] : [{ label, value: oneLine(value, MAX_VALUE) }];

function listsOf(cause: Cause | null): FactList[] {
  if (cause === null) return [];
  const { warnings, processes } = cause;
  const logs = warnings.map(
    ({ at, source, message }) => `${moment(at).slice(11, 19)} ${oneLine(`${source}: ${message}`, MAX_LINE)}`,
  );
  const lines = (processes ?? []).slice(0, SHOWN_PROCESSES).map(({ pid, name, cpuPercent, rssBytes }) => {
    const used = [
      ...(cpuPercent === null ? [] : [`${Math.round(cpuPercent)} % of a processor`]),
      ...(rssBytes === null ? [] : [`${Math.round(rssBytes / 1024 / 1024)} MiB`]),
    ];
    return `${oneLine(name, MAX_NAME)} (${pid}): ${used.join(", ")}`;
  });
  return [
    ...(logs.length === 0 ? [] : [{ label: "last warnings", lines: logs }]),
    ...(lines.length === 0 ? [] : [{ label: "largest processes", lines }]),
  ];
}

const keyOf = (key: unknown): string | null => (key === null || key === undefined ? null : shown(key, MAX_SUMMARY));

/** Facts that a signal and an incident share. */
function commonFacts({ payload, key, reflex, sense }: Occasion, cause: Cause | null): Fact[] {
  const rule = cause?.rule ?? null;
  return [
    ...fact("value", valueIn(payload, rule)),
    ...fact("rule", rule === null ? null : ruleIn(rule)),
    ...fact("key", keyOf(key)),
    ...fact("reflex", reflex),
    ...fact("sense", sense),
  ];
}

function ofIncident(teller: Teller, incident: TriggerIncident, occasion: Occasion, cause: Cause | null): Notice {
  const { id, notification, severity, opened_at, duration_ms, count, acked_by, suppressed_ms, suppressed_by } =
    incident;
  const isOver = notification === "resolved";
  const isAcked = incident.state === "acked";
  const took = lasted(duration_ms);
  return {
    key: `${teller.scope}/incident/${id}`,
    host: teller.host,
    severity,
    notification,
    isAcked,
    summary: oneLine(incident.summary, MAX_SUMMARY),
    text: null,
    at: teller.now,
    since: opened_at,
    endedAt: isOver ? opened_at + duration_ms : null,
    reflex: occasion.reflex === null ? null : oneLine(occasion.reflex, MAX_LINE),
    facts: [
      ...fact("host", teller.host),
      ...fact("severity", severity),
      ...fact("since", `${moment(opened_at)} (${isOver ? `lasted ${took}` : `for ${took}`})`),
      ...fact("because", incident.reason === null ? null : oneLine(incident.reason, MAX_LINE)),
      ...commonFacts(occasion, cause),
      ...fact("began", count > 1 ? `${count} times` : null),
      ...fact("acknowledged by", acked_by === null ? null : oneLine(acked_by, MAX_NAME)),
      ...fact(
        "held back",
        suppressed_ms > 0 ? `${lasted(suppressed_ms)} (${oneLine(suppressed_by.join(", "), MAX_LINE)})` : null,
      ),
    ],
    batch: null,
    lists: listsOf(cause),
    command: isOver || isAcked ? `nerve show incident:${id}` : `nerve ack ${id}`,
  };
}

/** A person who starts a run by hand may give a title. */
function titleIn({ payload, reflex, sense, key, due }: Occasion): string {
  const title = own(payload, "title");
  if (typeof title === "string" && title !== "") return title;
  if (reflex === null) return "a run that was started by hand";
  const of = keyOf(key);
  return `${reflex}${of === null ? "" : `: ${of}`}${sense === null ? (due === null ? "" : " (due)") : ` (${sense})`}`;
}

/** The notice of a trigger. `run` is the id of the run. A batch of one is told like its only item. */
export function noticeOf(teller: Teller, run: number, trigger: Trigger, cause: Cause | null): Notice {
  const { items = [], more = 0 } = trigger.batch ?? {};
  if (items.length + more > 1) return ofBatch(teller, run, { items, more }, cause?.rule ?? null);
  return ofOccasion(teller, run, items[0] ?? trigger, cause);
}

/** What the notices of a batch have in common, else null. */
function common<T>(notices: readonly Notice[], read: (notice: Notice) => T): T | null {
  const [first] = new Set(notices.map(read));
  return first !== undefined && new Set(notices.map(read)).size === 1 ? first : null;
}

/** `3 opened, 2 resolved`. */
const countsIn = (notices: readonly Notice[]): string =>
  NOTIFICATIONS.flatMap((kind) => {
    const count = notices.filter(({ notification }) => notification === kind).length;
    return count === 0 ? [] : `${count} ${kind}`;
  }).join(", ");

function ofBatch(teller: Teller, run: number, { items, more }: NonNullable<Trigger["batch"]>, rule: Json): Notice {
  const notices = items.map((item, index) => {
    const notice = ofOccasion(teller, run, item, null);
    return item.incident === null ? { ...notice, key: `${notice.key}/${index}` } : notice;
  });
  const reflex = common(notices, (notice) => notice.reflex);
  const notification = common(notices, (notice) => notice.notification);
  const open = notices.filter((notice) => notice.notification !== "resolved");
  const graves = (open.length === 0 ? notices : open).map(({ severity }) => SEVERITIES.indexOf(severity));
  const severity = SEVERITIES[Math.max(...graves)] ?? DEFAULT_SEVERITY;
  const what = items.every(({ incident }) => incident !== null) ? "incidents" : "messages";
  const counts = notification === null && more === 0 ? countsIn(notices) : "";
  const since = Math.min(...notices.map((notice) => notice.since));
  return {
    key: `${teller.scope}/run/${run}`,
    host: teller.host,
    severity,
    notification,
    isAcked: false,
    summary: oneLine(
      `${items.length + more} ${what}${reflex === null ? "" : ` of ${reflex}`}${counts === "" ? "" : ` (${counts})`}`,
      MAX_SUMMARY,
    ),
    text: null,
    at: teller.now,
    since,
    endedAt: notification === "resolved" ? Math.max(...notices.map(({ endedAt }) => endedAt ?? since)) : null,
    reflex,
    facts: [
      ...fact("host", teller.host),
      ...fact("severity", severity),
      ...fact("rule", rule === null || reflex === null ? null : ruleIn(rule)),
    ],
    batch: { items: notices, more },
    lists: [],
    command: open.some((notice) => notice.notification !== null) ? "nerve incidents --open" : `nerve show run:${run}`,
  };
}

function ofOccasion(teller: Teller, run: number, occasion: Occasion, cause: Cause | null): Notice {
  if (occasion.incident !== null) return ofIncident(teller, occasion.incident, occasion, cause);
  const since = occasion.at ?? occasion.due ?? teller.now;
  const text = own(occasion.payload, "text");
  const severity = severityIn(occasion.payload);
  return {
    key: `${teller.scope}/run/${run}`,
    host: teller.host,
    severity,
    notification: null,
    isAcked: false,
    summary: oneLine(titleIn(occasion), MAX_SUMMARY),
    text: typeof text === "string" ? textOf(text) : null,
    at: teller.now,
    since,
    endedAt: null,
    reflex: occasion.reflex === null ? null : oneLine(occasion.reflex, MAX_LINE),
    facts: [
      ...fact("host", teller.host),
      ...fact("severity", severity),
      ...fact("at", moment(since)),
      ...commonFacts(occasion, cause),
    ],
    batch: null,
    lists: listsOf(cause),
    command: occasion.id === null ? `nerve show run:${run}` : `nerve show signal:${occasion.id}`,
  };
}

/** The notice of an author's words, in the step `id`. */
export function noticeOfWords(teller: Teller, id: string, words: Words): Notice {
  return {
    key: `${teller.scope}/step/${id}`,
    host: teller.host,
    severity: words.severity,
    notification: null,
    isAcked: false,
    summary: oneLine(words.title, MAX_SUMMARY),
    text: textOf(words.text),
    at: teller.now,
    since: teller.now,
    endedAt: null,
    reflex: null,
    facts: [],
    batch: null,
    lists: [],
    command: null,
  };
}

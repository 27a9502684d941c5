/**
 * What a key of a reflex with `incident` remembers beside matching, as it is stored. Types, not interfaces: only so are
 * they `Json`. All times are `elapsed`.
 */
import type { Json } from "../base/json.ts";
import { NOTIFICATIONS, type Notification } from "../model/incident.ts";

/** A notification that something holds back. */
export type Held = {
  readonly workflow: string;
  readonly notification: Notification;
  readonly since: number;
  readonly by: string[];
  /** When what holds it may be over; null where no time says so. */
  readonly until: number | null;
};

export type OpenIncident = {
  readonly id: number;
  /** Digest of the words that say which keys there are: with other ones the incident belongs to nothing. */
  readonly scope: string;
  readonly opened: number;
  /** Since when its key does not match; null: it matches. */
  readonly off: number | null;
  readonly isAcked: boolean;
  /** When its opening was reported, and when the reflex's own workflow was last to report anything. */
  readonly openingReported: number | null;
  readonly reported: number | null;
  /** Workflows with a run that reports it, in the order of the first of these runs. */
  readonly workflows: string[];
  /** The workflow of each entry of `escalate` that has had its turn. */
  readonly escalated: string[];
  /** How many runs report it. */
  readonly runs: number;
  /** One a workflow at the most. */
  readonly held: Held[];
};

/** A resolution that is held back, of an incident that is no longer open. */
export type OwedResolution = {
  readonly id: number;
  readonly opened: number;
  readonly resolved: number;
  /** Which of the incident's runs it will be. */
  readonly n: number;
  readonly held: Held;
};

export type IncidentMemory = {
  readonly open: OpenIncident | null;
  /** Resolved by hand while it matched: the key must stop matching before it opens another. */
  readonly isSpent: boolean;
  /** Oldest first. */
  readonly owed: OwedResolution[];
};

type Loose = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Loose => typeof value === "object" && value !== null;
const isNumber = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value);
const isNumberOrNull = (value: unknown): boolean => value === null || isNumber(value);
const areTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one: unknown) => typeof one === "string");

const isHeld = (value: unknown): boolean =>
  isObject(value) &&
  typeof value.workflow === "string" &&
  (NOTIFICATIONS as readonly unknown[]).includes(value.notification) &&
  isNumber(value.since) &&
  areTexts(value.by) &&
  isNumberOrNull(value.until);

const isOpen = (value: unknown): boolean =>
  isObject(value) &&
  ["id", "opened", "runs"].every((name) => isNumber(value[name])) &&
  ["off", "openingReported", "reported"].every((name) => isNumberOrNull(value[name])) &&
  typeof value.scope === "string" &&
  typeof value.isAcked === "boolean" &&
  areTexts(value.workflows) &&
  areTexts(value.escalated) &&
  Array.isArray(value.held) &&
  value.held.every(isHeld);

const isOwed = (value: unknown): boolean =>
  isObject(value) && ["id", "opened", "resolved", "n"].every((name) => isNumber(value[name])) && isHeld(value.held);

/** What was stored; undefined when it cannot be what a key remembers of incidents. */
export function readIncidentMemory(value: unknown): IncidentMemory | null | undefined {
  // Reflexes without incidents store nothing.
  if (value === undefined || value === null) return null;
  if (!isObject(value)) return undefined;
  const { open, isSpent, owed } = value;
  const isWhole =
    (open === null || isOpen(open)) &&
    typeof isSpent === "boolean" &&
    Array.isArray(owed) &&
    owed.every((one: unknown) => isOwed(one));
  return isWhole ? (value as Json as IncidentMemory) : undefined;
}

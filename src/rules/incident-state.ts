/**
 * Owns a key's memory of incidents, as it is stored. The shapes are types, because an interface is no `Json`. All times are
 * `elapsed`.
 */
import type { Json } from "../base/json.ts";
import { NOTIFICATIONS, type Notification } from "../model/incident.ts";

/** A notification that something holds back. */
export type Held = {
  readonly workflow: string;
  readonly notification: Notification;
  readonly since: number;
  readonly by: string[];
  /** The next time at which the hold may be over. Null where no time is known. */
  readonly until: number | null;
};

export type OpenIncident = {
  readonly id: number;
  /** Digest of the words that define the keys. With other words the incident belongs to no key. */
  readonly scope: string;
  readonly opened: number;
  /** The time since which the key does not match. Null while the key matches. */
  readonly off: number | null;
  readonly isAcked: boolean;
  /** The time at which the opening was reported. */
  readonly openingReported: number | null;
  /** The time of the newest report by the reflex's own workflow. */
  readonly reported: number | null;
  /** Workflows with a run that reports the incident, in the order of the first of these runs. */
  readonly workflows: string[];
  /** The workflow of each entry of `escalate` that has had its turn. */
  readonly escalated: string[];
  /** The number of runs that report the incident. */
  readonly runs: number;
  /** At most one for each workflow. */
  readonly held: Held[];
};

/** A resolution that is held back, of an incident that is no longer open. */
export type OwedResolution = {
  readonly id: number;
  readonly opened: number;
  readonly resolved: number;
  /** The number of the future run among the runs of the incident. */
  readonly n: number;
  readonly held: Held;
};

export type IncidentMemory = {
  readonly open: OpenIncident | null;
  /**
   * The scope of an incident that was resolved by hand while the key matched. The key must stop matching before a new
   * incident opens. Null: a new incident may open.
   */
  readonly spent: string | null;
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

/** The stored memory. Undefined when the value cannot be a memory of incidents. */
export function readIncidentMemory(value: unknown): IncidentMemory | null | undefined {
  // Reflexes without incidents store nothing.
  if (value === undefined || value === null) return null;
  if (!isObject(value)) return undefined;
  const { open, spent, owed } = value;
  const isWhole =
    (open === null || isOpen(open)) &&
    (spent === null || typeof spent === "string") &&
    Array.isArray(owed) &&
    owed.every((one: unknown) => isOwed(one));
  return isWhole ? (value as Json as IncidentMemory) : undefined;
}

/** What people are told: one incident, signal or message, before a channel gives it a form. */
import type { Json } from "../base/json.ts";
import type { Notification, Severity } from "./incident.ts";

/** What a channel is told for the same thing again replaces it, where the channel knows keys. */
export interface Notice {
  /** Stable over retries and, for an incident, from its opening to its resolution. */
  readonly key: string;
  readonly host: string;
  readonly severity: Severity;
  /** Null: no incident. */
  readonly notification: Notification | null;
  readonly isAcked: boolean;
  /** One line: what is the matter. */
  readonly summary: string;
  /** An author's words, with line ends; null where there are none. */
  readonly text: string | null;
  /** Unix milliseconds: when it is told, and since when it is so. */
  readonly at: number;
  readonly since: number;
  /** Null: still so. */
  readonly endedAt: number | null;
  readonly reflex: string | null;
  /** In their order, each on one line. */
  readonly facts: readonly Fact[];
  /** The notices that came together, where there is more than one; else null. */
  readonly batch: BatchNotice | null;
  /** Lists that come behind the facts. */
  readonly lists: readonly FactList[];
  /** What a person types next, or null. */
  readonly command: string | null;
}

/** `more` counts the notices that `items` have no room for. */
export interface BatchNotice {
  readonly items: readonly Notice[];
  readonly more: number;
}

export interface Fact {
  readonly label: string;
  readonly value: string;
}

export interface FactList {
  readonly label: string;
  readonly lines: readonly string[];
}

/** What the kernel knows of why a run started, beyond its trigger. */
export interface Cause {
  /** The reflex's `when` as it may be shown, or null. */
  readonly rule: Json;
  /** The newest warnings and errors of the trace, oldest first. */
  readonly warnings: readonly CauseLog[];
  /** The last look of the sense `processes`, or null. */
  readonly processes: readonly CauseProcess[] | null;
}

export interface CauseLog {
  readonly at: number;
  readonly source: string;
  readonly message: string;
}

export interface CauseProcess {
  readonly pid: number;
  readonly name: string;
  /** 100 is one processor; null: not known. */
  readonly cpuPercent: number | null;
  readonly rssBytes: number | null;
}

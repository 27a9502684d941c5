/** What travels over the control socket: JSON bodies of HTTP requests and responses. The CLI is one client of it. */
import type { Json, JsonObject } from "../base/json.ts";
import type { FleetStatus } from "../model/fleet-status.ts";
import type { IncidentState } from "../model/incident.ts";
import type { OtlpStatus } from "../model/otlp-status.ts";
import type { Problem } from "../model/problem.ts";
import type { RunState } from "../model/run.ts";

/** `nerve status`. Times are Unix milliseconds, durations milliseconds, memory bytes; counts since the kernel started. */
export interface Status {
  readonly kernel: {
    readonly pid: number;
    readonly version: string;
    readonly started_at: number;
    readonly data: string;
    /** `ok`, or what the store answers to commits, or that its file system is nearly full. */
    readonly store: string;
  };
  readonly groups: readonly {
    readonly name: string;
    readonly state: "starting" | "up" | "backoff" | "stuck";
    readonly pid: number | null;
    readonly restarts: number;
    readonly memory: number;
  }[];
  readonly senses: readonly {
    readonly name: string;
    readonly group: string;
    /**
     * `failing`: an error, timeout or kill, and no success since. `stale`: nothing has come for its `expect_every`, or it was
     * due and cannot compute, for the worker of its group does not go.
     */
    readonly state: "ok" | "failing" | "stale" | "failed" | "quarantined" | "disabled";
    readonly reason: string | null;
    /** `file:line:column` that the reason is about, as far as it is known, or null. */
    readonly place: string | null;
    readonly computes: number;
    readonly nulls: number;
    readonly errors: number;
    readonly timeouts: number;
    readonly missed: number;
    readonly p50_ms: number | null;
    readonly p99_ms: number | null;
    readonly last_signal: number | null;
    readonly next_due: number | null;
  }[];
  readonly reflexes: readonly {
    readonly name: string;
    readonly target: string;
    readonly enabled: boolean;
    readonly fired: number;
    readonly throttled: number;
    /** Due times of a workflow reflex that started no run, because the run before had not begun. */
    readonly missed: number;
    /** Unix milliseconds; null where no clock makes the reflex due. */
    readonly next_due: number | null;
    /** Unix milliseconds until which it starts no workflow, or null. */
    readonly silenced_until: number | null;
  }[];
  readonly workflows: readonly {
    readonly name: string;
    readonly running: number;
    readonly queued: number;
    readonly sleeping: number;
    /** No run has completed for its `expect_every`. */
    readonly stale: boolean;
  }[];
  /** How the pings of the watchdog go; null: the configuration has no watchdog. */
  readonly watchdog: WatchdogStatus | null;
  /** Where people are told: how the newest tries went. */
  readonly channels: readonly ChannelStatus[];
  /** Of senses with an inbox, and of others for which something is left. */
  readonly inboxes: readonly { readonly sense: string; readonly waiting: number; readonly dead: number }[];
  /** Of each sense with an inbox: whether there is no room for a small item, and when the newest item was accepted; null: none was since the start. */
  readonly boxes: readonly { readonly sense: string; readonly full: boolean; readonly newest_at: number | null }[];
  /**
   * Of senses with `deliver` that have not looked at all yet: how many signals of the senses they listen to wait, counted up to 10,000, and
   * when the oldest came. `when` may pass them by.
   */
  readonly deliveries: readonly { readonly sense: string; readonly waiting: number; readonly since: number }[];
  /** Incidents that have not resolved, and how many of these are acknowledged. */
  readonly incidents: { readonly open: number; readonly acked: number };
  /** Workflows whose module does not load, and why: their runs wait. */
  readonly broken_workflows: readonly { readonly name: string; readonly reason: string }[];
  /** The newest runs that failed, timed out or were dropped, in the order in which they ended. */
  readonly failures: readonly Failure[];
  /** What of the configuration listens, and why it does not where it does not. */
  readonly listeners: readonly {
    readonly name: "http" | "push" | "fleet" | "otlp";
    readonly address: string;
    readonly state: "up" | "starting" | "failed";
    readonly reason: string | null;
    /** Unix milliseconds since which it has failed; null where it has not. */
    readonly since: number | null;
  }[];
  /** What joins this host to others; null: the configuration has no `fleet`. */
  readonly fleet: FleetStatus | null;
  /** What is sent by OTLP; null: the configuration has no `otlp`. */
  readonly otlp: OtlpStatus | null;
}

export interface WatchdogStatus {
  /** `starting`: no ping has ended yet. */
  readonly state: "starting" | "ok" | "failing";
  /** What the newest ping came to, where it failed; never the address. */
  readonly reason: string | null;
  /** Unix milliseconds of the newest answer, or null. */
  readonly last_answer: number | null;
  readonly every_ms: number;
}

export interface ChannelStatus {
  readonly name: string;
  readonly state: "ok" | "failing";
  /** What the newest try came to, where it failed; never the address. */
  readonly reason: string | null;
  /** Unix milliseconds of the newest message that it took, and of the newest try that failed; null: none was since the start. */
  readonly last_told: number | null;
  readonly last_failed: number | null;
  /** Only runs that were started for a signal of the sense `nerve` failed. */
  readonly own: boolean;
}

export interface Failure {
  /** Of the log of its ending: it only grows. */
  readonly id: number;
  readonly run: number;
  readonly workflow: string;
  readonly state: RunState;
  readonly error: string | null;
  readonly at: number;
}

/** `/failures?after=LOG`: runs that failed, timed out or were dropped, by the logs of their endings above `after`, oldest first. */
export interface Failures {
  readonly runs: readonly (Failure & {
    /** The run was started for a signal of the sense `nerve`, or for one that such a signal caused. */
    readonly own: boolean;
  })[];
  /** The log up to which this answer looked: the next one is asked for with it. */
  readonly up_to: number;
  /** The newest log. */
  readonly newest: number;
  /** How many logs above `after` had moved to the archive: nobody looked at them. */
  readonly archived: number;
}

/** `/retry-items` and `/drop-items`: the items, once that is durable. */
export interface ItemsAnswer {
  readonly items: readonly { readonly id: number; readonly sense: string }[];
}

/** What was asked could not be done. */
export interface Refusal {
  readonly error: Problem;
  /** Every problem, where there are several (a refused config). */
  readonly problems: readonly Problem[];
}

/** `nerve run`: the run, once it is durable. `state` `dropped` when there was no room for it. */
export interface RunRequest {
  readonly workflow: string;
  readonly input: Json;
}

/** `nerve cancel`. */
export interface CancelRequest {
  readonly run: number;
}

/** `nerve retry`: a new run that keeps what the old one had finished, up to the first call of `from_step` if given. */
export interface RetryRequest {
  readonly run: number;
  readonly from_step: string | null;
}

/** `nerve ack`, and `nerve resolve`. */
export interface IncidentRequest {
  readonly incident: number;
  /** Who says so. */
  readonly by: string;
  readonly why: string | null;
}

/** The incident, once that is durable. */
export interface IncidentAnswer {
  readonly incident: number;
  readonly reflex: string;
  readonly state: IncidentState;
  readonly summary: string;
  /** Who has acknowledged it, or null. */
  readonly acked_by: string | null;
}

/** What `/enable` and `/disable` answer with. */
export interface SwitchAnswer {
  /** `sense:NAME` or `reflex:NAME`. */
  readonly name: string;
  readonly enabled: boolean;
  /** The sense that is meant, or null for a reflex. */
  readonly sense: string | null;
  /** A quarantine of the sense was lifted. */
  readonly released: boolean;
}

/** `nerve silence`: reflexes whose names match start no workflow for this long. */
export interface SilenceRequest {
  /** A reflex's name, or a glob. */
  readonly pattern: string;
  readonly for_ms: number;
  readonly why: string;
}

export interface SilenceAnswer {
  readonly pattern: string;
  readonly why: string;
  /** Unix milliseconds. */
  readonly at: number;
  readonly until: number;
  /** Names of the reflexes it matches now. */
  readonly reflexes: readonly string[];
}

/** What `/run`, `/cancel` and `/retry` answer with. */
export interface RunAnswer {
  readonly run: number;
  readonly workflow: string;
  readonly state: RunState;
  readonly trace: string;
}

/** What other hosts answered: their status, or why there is none. */
export interface HostsAnswer {
  readonly hosts: readonly { readonly host: string; readonly status: JsonObject | null; readonly why: string | null }[];
}

/** `nerve fleet forget`: how many signals of the host are stored stays. */
export interface ForgottenHost {
  readonly host: string;
  readonly signals: number;
}

/** `nerve archive run`: files written, logs moved into them, signals removed. */
export interface Archived {
  /** That logs were moved to. */
  readonly files: number;
  readonly rows: number;
  /** That were past their time. */
  readonly removed_files: number;
  readonly signals: number;
}

export interface Reloaded {
  readonly groups: readonly string[];
  readonly reflexes: readonly string[];
  /** Added, removed or changed. */
  readonly workflows: readonly string[];
  /** Keys of nerve.yaml, such as `watchdog`, whose new values are in force. */
  readonly settings: readonly string[];
  /** Ids of the runs that were cancelled because their workflow was removed. */
  readonly cancelled_runs: readonly number[];
  /** Keys that changed and need a restart of the daemon. */
  readonly needs_restart: readonly string[];
  /** Why senses whose workers it started anew do not load, each as `nerve check` says it, and why `http` or `push` does not listen. */
  readonly failed: readonly Problem[];
}

export const SOCKET_NAME = "nerve.sock";

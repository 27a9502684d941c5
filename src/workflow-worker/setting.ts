/** What an execution is run with, and what it runs. */
import type { Timers } from "../base/timer.ts";
import type { WorkflowParentMessageOf } from "../ipc/workflow-definitions.ts";
import type { ChannelConfig } from "../model/channel.ts";
import type { Blobs, Log, Peers, Run } from "../sdk/index.ts";
import type { Commits } from "./commits.ts";
import type { Sending } from "./reports.ts";

export type RunRequest = WorkflowParentMessageOf<"run">;

/** The channels of a worker, by name. */
export interface Channels {
  readonly all: ReadonlyMap<string, ChannelConfig>;
  readonly epoch: string;
}

export interface Setting {
  readonly code: Run;
  readonly options: unknown;
  readonly peers: Peers;
  readonly blobs: Blobs;
  readonly channels: Channels;
  readonly timers: Timers;
  readonly commits: Commits;
  readonly sending: Sending;
  /** Logs a warning, unless this worker has logged it before. */
  readonly warnOnce: (warning: string) => void;
  /** `log`: counted and not said again; `output`: what a step says each time it runs. */
  readonly say: (event: "log" | "output", ...row: Parameters<Log>) => void;
}

/** Why a run is ended from outside: the message that answers it. */
export type Interruption = "timed-out" | "stopped";

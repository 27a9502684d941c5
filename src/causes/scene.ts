/** Owns what the causes are read from, and the shape of an answer: what is so, from what, what was done, and what was not done and why not. */
import type { Status } from "../control/contract.ts";
import type { NerveConfig, ReflexConfig } from "../model/config.ts";
import type { Axis } from "../replays/account.ts";
import type { StoreReader } from "../store/open-reader.ts";

export interface Scene {
  readonly store: StoreReader;
  /** Null where the config has problems. */
  readonly config: NerveConfig | null;
  /** Null where no daemon answers. */
  readonly status: Status | null;
  /** A kernel has the data directory. */
  readonly isRunning: boolean;
  readonly axis: Axis;
  /** Unix milliseconds. */
  readonly now: number;
}

export interface About {
  readonly kind: "incident" | "run" | "signal" | "sense" | "reflex" | "workflow" | "channel" | "nerve";
  /** Null for what has a name. */
  readonly id: number | null;
  /** Null for what has an id. */
  readonly name: string | null;
}

/** Why something was not done. */
export const REASONS = [
  "acknowledged",
  "batch",
  "cancelled",
  "dead",
  "disabled",
  "dropped",
  "failed",
  "full",
  "inhibited",
  "no-channel",
  "no-match",
  "nobody-listens",
  "no-reminder",
  "no-retry",
  "not-loaded",
  "not-running",
  "pending",
  "quarantined",
  "queue",
  "quiet_hours",
  "resolved",
  "silence",
  "throttled",
  "unwell",
  "waiting",
] as const;

export type Reason = (typeof REASONS)[number];

export interface NotDone {
  readonly reason: Reason;
  /** Unix milliseconds until which the reason holds; null where nothing says so. */
  readonly until: number | null;
  readonly text: string;
}

export interface NextCommand {
  readonly command: string;
  readonly does: string;
}

/** Each text is one sentence or more. The first sentence of `what` is the answer. */
export interface Why {
  readonly about: About;
  readonly isWrong: boolean;
  /** Unix milliseconds since which `what` is so; null where nothing says so. */
  readonly since: number | null;
  /** The signal that all of it follows from. */
  readonly signal: number | null;
  readonly what: readonly string[];
  readonly cause: readonly string[];
  readonly done: readonly string[];
  readonly notDone: readonly NotDone[];
  /** What comes next, and when. */
  readonly coming: readonly string[];
  readonly next: readonly NextCommand[];
}

export const aboutId = (kind: About["kind"], id: number): About => ({ kind, id, name: null });
export const aboutName = (kind: About["kind"], name: string): About => ({ kind, id: null, name });

export const notDone = (reason: Reason, text: string, until: number | null = null): NotDone => ({
  reason,
  text,
  until,
});

export const reflexNamed = ({ config }: Scene, name: string | null): ReflexConfig | null =>
  config?.reflexes.find((one) => one.name === name) ?? null;

/** What each state looks like: an icon whose shape alone says it, a word, and a tone. */

import type { OriginState } from "../../model/origin.ts";
import type { OtlpLink } from "../../model/otlp-status.ts";
import type { RunState } from "../../model/run.ts";
import type { KeyStanding } from "../../web/contract-reflexes.ts";
import type { IconName, Tone } from "../parts/icon.tsx";

export interface Mark {
  readonly icon: IconName;
  readonly word: string;
  readonly tone: Tone;
}

const mark = (icon: IconName, word: string, tone: Tone): Mark => ({ icon, word, tone });

export type SenseState = "ok" | "failing" | "stale" | "failed" | "quarantined" | "disabled";

export const SENSE_MARKS: Readonly<Record<SenseState, Mark>> = {
  ok: mark("ok", "ok", "ok"),
  failing: mark("warn", "failing", "warn"),
  stale: mark("clock", "stale", "warn"),
  failed: mark("fail", "failed", "crit"),
  quarantined: mark("skull", "quarantined", "crit"),
  disabled: mark("off", "disabled", "idle"),
};

export const TIMING_OUT: Mark = mark("clock", "timing out", "warn");

/** The order in which senses need a look. */
export const SENSE_RANK: Readonly<Record<SenseState, number>> = {
  failed: 0,
  quarantined: 1,
  stale: 2,
  failing: 3,
  disabled: 4,
  ok: 5,
};

export const RUN_MARKS: Readonly<Record<RunState, Mark>> = {
  joined: mark("hand", "joined", "idle"),
  queued: mark("queue", "queued", "idle"),
  running: mark("run", "running", "acc"),
  sleeping: mark("moon", "sleeping", "acc"),
  completed: mark("ok", "completed", "ok"),
  failed: mark("fail", "failed", "crit"),
  cancelled: mark("off", "cancelled", "idle"),
  "timed-out": mark("clock", "timed out", "crit"),
  dropped: mark("off", "dropped", "warn"),
};

export const LINK_MARKS: Readonly<Record<OtlpLink["state"], Mark>> = {
  starting: mark("pend", "starting", "idle"),
  connected: mark("ok", "connected", "ok"),
  offline: mark("fail", "offline", "crit"),
  blocked: mark("gate", "blocked", "crit"),
  refusing: mark("gate", "refusing", "crit"),
};

export const BEHIND = mark("clock", "behind", "warn");
/** Two kernels send under one name. */
export const CONFLICT = mark("fail", "conflict", "crit");
export const CLOCK_OFF = mark("clock", "clock off", "warn");
export const LATE = mark("clock", "late", "warn");

export const HOST_MARKS: Readonly<Record<OriginState, Mark>> = {
  up: mark("ok", "up", "ok"),
  silent: mark("mute", "silent", "warn"),
};

export const UNDER_WAY: readonly RunState[] = ["queued", "running", "sleeping"];
export const ENDED_BADLY: readonly RunState[] = ["failed", "timed-out", "dropped"];

export const STANDING_MARKS: Readonly<Record<KeyStanding, Mark>> = {
  rest: mark("off", "not matching", "idle"),
  matching: mark("now", "matching", "acc"),
  pending: mark("pend", "pending", "acc"),
  debouncing: mark("pend", "debouncing", "acc"),
  throttled: mark("gate", "throttled", "idle"),
  incident: mark("crit", "incident open", "crit"),
  spent: mark("hand", "fired, matching still", "acc"),
  disabled: mark("off", "disabled", "idle"),
};

export const SEVERITY_MARKS: Readonly<Record<string, Mark>> = {
  info: mark("dot", "info", "acc"),
  warning: mark("warn", "warning", "warn"),
  critical: mark("crit", "critical", "crit"),
};

export const severityMark = (severity: string): Mark => SEVERITY_MARKS[severity] ?? mark("warn", severity, "warn");

export const LEVEL_MARKS = {
  debug: mark("dot", "debug", "idle"),
  info: mark("dot", "info", "idle"),
  warn: mark("warn", "warn", "warn"),
  error: mark("fail", "error", "crit"),
} as const;

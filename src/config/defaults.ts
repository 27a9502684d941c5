/**
 * Owns the values that the kernel uses where the configuration holds null. `throttle`, `memory`, `retry` and a workflow's
 * `timeout` have no default.
 */
import type { InboxConfig, NerveConfig, SenseConfig } from "../model/config.ts";

const SECOND = 1_000;
const DAY = 86_400 * SECOND;

export const DEFAULT_DATA = "./data";
export const DEFAULT_DURABILITY = "full";
export const DEFAULT_GROUP = "default";

export const DEFAULT_TIMEOUT_MS = 30 * SECOND;
export const DEFAULT_GRACE_PERIOD_MS = 5 * SECOND;

/** How much waits for a sense at most. */
export const inboxBoundsOf = ({ max, bytes }: InboxConfig): { readonly items: number; readonly bytes: number } => ({
  items: max ?? DEFAULT_INBOX_MAX,
  bytes: bytes ?? DEFAULT_INBOX_BYTES,
});

/** The time a compute has until its AbortSignal fires, and the further time until its worker is killed. */
export interface Limits {
  readonly timeoutMs: number;
  readonly gracePeriodMs: number;
}

export const limitsOf = ({ timeoutMs, gracePeriodMs }: SenseConfig): Limits => ({
  timeoutMs: timeoutMs ?? DEFAULT_TIMEOUT_MS,
  gracePeriodMs: gracePeriodMs ?? DEFAULT_GRACE_PERIOD_MS,
});

export const DEFAULT_RETENTION_LOGS_MS = 30 * DAY;
export const DEFAULT_RETENTION_SIGNALS_MS = 30 * DAY;
/** The archive is kept for ever. */
export const DEFAULT_RETENTION_ARCHIVE_MS = null;

/** What is in force. */
export interface Retentions {
  readonly logsMs: number;
  readonly signalsMs: number;
  /** Null where nothing is removed. */
  readonly archiveMs: number | null;
}

export const retentionsOf = ({ retention }: NerveConfig): Retentions => ({
  logsMs: retention.logsMs ?? DEFAULT_RETENTION_LOGS_MS,
  signalsMs: retention.signalsMs ?? DEFAULT_RETENTION_SIGNALS_MS,
  archiveMs: retention.archiveMs ?? DEFAULT_RETENTION_ARCHIVE_MS,
});

export const DEFAULT_INBOX_MAX = 10_000;
export const DEFAULT_INBOX_BYTES = 16 * 1024 * 1024;

export const DEFAULT_ALIGN = true;
export const DEFAULT_CATCH_UP_CRON = "one";
export const DEFAULT_CATCH_UP_INTERVAL = "none";

export const DEFAULT_WATCHDOG_MS = 60 * SECOND;

export const DEFAULT_CONCURRENCY = 1;
export const DEFAULT_MAX_QUEUE = 100;

/** An append-only record, as a row of `logs`. It never triggers anything. */
export type LogLevel = "debug" | "info" | "warn" | "error";

export const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

export interface Log {
  readonly id: number;
  /** Unix milliseconds. */
  readonly at: number;
  readonly level: LogLevel;
  /** `kernel`, `sense:NAME`, `reflex:NAME` or `workflow:NAME`. */
  readonly source: string;
  readonly event: string;
  readonly run: number | null;
  readonly trace: string | null;
  readonly message: string;
  /** JSON text, or null. */
  readonly data: string | null;
}

/** A log before it has an id. */
export type NewLog = Omit<Log, "id">;

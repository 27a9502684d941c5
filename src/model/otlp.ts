/** Owns the shape of the section `otlp`: where numbers, logs and runs of this host are sent, and which of them. */
import type { LogLevel } from "./log.ts";

/** What is sent: numbers of signals, logs, and runs with their steps. Each has a place of its own to go on from. */
export const OTLP_KINDS = ["signals", "logs", "runs"] as const;
export type OtlpKind = (typeof OTLP_KINDS)[number];

export interface OtlpConfig {
  /** Without a `/` at its end: `/v1/metrics`, `/v1/logs` and `/v1/traces` stand behind. */
  readonly endpoint: string;
  /** Never printed. */
  readonly headers: Readonly<Record<string, string>>;
  /** Senses of this host whose numbers are sent. `*` stands for any run of characters. */
  readonly signals: readonly string[];
  /** Logs from this level on; null: none. */
  readonly logs: LogLevel | null;
  readonly runs: boolean;
  /** One request of a kind at most this often, where there is not more than one request holds. */
  readonly everyMs: number;
}

export const sends = (config: OtlpConfig | null, kind: OtlpKind): boolean => {
  if (config === null) return false;
  if (kind === "signals") return config.signals.length > 0;
  return kind === "logs" ? config.logs !== null : config.runs;
};

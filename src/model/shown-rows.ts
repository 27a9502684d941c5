/** Owns rows as other programs read them: the columns as keys, and the columns with JSON as values. */
import { type Json, parseStored } from "../base/json.ts";
import type { Log } from "./log.ts";
import type { Run } from "./run.ts";
import type { Signal } from "./signal.ts";

/** A row of `signals`. */
export type ShownSignal = Omit<Signal, "payload"> & { readonly payload: Json };
/** A row of `logs`. */
export type ShownLog = Omit<Log, "data"> & { readonly data: Json };
/** A row of `workflow_runs`. */
export type ShownRun = Omit<Run, "input" | "output"> & { readonly input: Json; readonly output: Json };

const jsonOf = (text: string | null): Json => (text === null ? null : parseStored(text));

export const signalJson = (row: Signal): ShownSignal => ({ ...row, payload: parseStored(row.payload) });
export const logJson = (row: Log): ShownLog => ({ ...row, data: jsonOf(row.data) });
export const runJson = (run: Run): ShownRun => ({ ...run, input: jsonOf(run.input), output: jsonOf(run.output) });

/** What became of a step, one for each time that the step ended or was interrupted. */
export interface ShownStep {
  readonly step: string;
  readonly nth: number;
  readonly attempt: number;
  readonly state: "started" | "completed" | "failed";
  /** Unix milliseconds of the log that the step's state comes from. */
  readonly at: number;
  readonly duration_ms: number | null;
  readonly result: unknown;
  readonly error: string | null;
  /** The time of the next attempt, or null. */
  readonly until: number | null;
}

/** What the row of a run must be: its events, one after the other. Shares nothing with `src/model/run.ts`. */
import type { Run } from "../../../src/model/run.ts";

/** Of a run's event what its row depends on. */
export interface RowEvent {
  readonly id: number;
  readonly at: number;
  readonly event: string;
}

/** The data of an event: each event has other fields. */
type Data = Readonly<Record<string, unknown>>;

export const ENDINGS: Readonly<Record<string, string>> = {
  "run.completed": "completed",
  "run.failed": "failed",
  "run.cancelled": "cancelled",
  "run.timed-out": "timed-out",
  "run.dropped": "dropped",
  "run.joined": "joined",
};

/** How a running run gets on: its row says nothing of that. */
const QUIET = ["step.started", "step.completed", "step.failed", "sleep.started", "sleep.ended"];

/** After which a run holds a slot. */
const BEGINS = ["run.started", "run.resumed"];

type Columns = Pick<
  Run,
  "state" | "attempt" | "output" | "error" | "queued_at" | "started_at" | "ended_at" | "last_log_id"
>;

export class RunRow {
  #columns: { -readonly [Column in keyof Columns]: Columns[Column] } | null = null;

  follows({ id, at, event }: RowEvent, data: Data): void {
    this.#columns ??= {
      state: "queued",
      attempt: 0,
      output: null,
      error: null,
      queued_at: at,
      started_at: null,
      ended_at: null,
      last_log_id: id,
    };
    const row = this.#columns;
    if (row.state !== "running" || !QUIET.includes(event)) row.last_log_id = id;
    if (event === "run.started") row.started_at = at;
    if (BEGINS.includes(event)) [row.state, row.attempt] = ["running", data.attempt as number];
    if (event === "run.sleeping" || event === "run.retrying") row.state = "sleeping";
    if (event === "run.retrying") row.error = data.error as string;
    const ending = ENDINGS[event];
    if (ending === undefined) return;
    [row.state, row.ended_at] = [ending as Run["state"], at];
    row.error = ending === "completed" ? null : ((data.error as string | undefined) ?? null);
    if (ending === "completed") row.output = JSON.stringify(data.output);
  }

  /** What is another in `row`, in words. */
  differences(row: Columns): string[] {
    return Object.entries(this.#columns ?? {}).flatMap(([column, must]) => {
      const is = row[column as keyof Columns];
      return is === must ? [] : [`${column} is ${is}, its logs say ${must}`];
    });
  }
}

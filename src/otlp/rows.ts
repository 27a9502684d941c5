/** Reads what is sent from logs.db, in the order of its ids and in bounded slices. It remembers nothing. */
import type { Database } from "bun:sqlite";
import { join } from "node:path";
import { matches } from "../base/glob.ts";
import { ok, type Result } from "../base/result.ts";
import { LOG_LEVELS, type Log, type LogLevel } from "../model/log.ts";
import { ENDINGS } from "../model/run.ts";
import type { Signal } from "../model/signal.ts";
import { openReader, type SqliteProblem } from "../sqlite/open.ts";

export type SignalRow = Pick<Signal, "id" | "sense" | "at" | "trace" | "payload">;
export type LogRow = Log;

/** The end of a run or of a step. */
export interface EndedRow {
  readonly id: number;
  readonly at: number;
  readonly run: number;
  readonly event: string;
  readonly trace: string;
  readonly data: string | null;
  readonly workflow: string;
  readonly reflex: string | null;
  readonly signal: number | null;
  readonly attempt: number | null;
  /** When the run began, or was asked for where it never began; null: nobody knows. */
  readonly begunAt: number | null;
}

export interface Slice<Row> {
  readonly rows: readonly Row[];
  /** All ids up to here were looked at. */
  readonly upto: number;
  /** Ids behind the start that retention has removed. */
  readonly lost: number;
  /** There may be more behind `upto`. */
  readonly isFull: boolean;
}

/** Rows that are looked at at once, and about how large they are together. One row alone may be larger. */
export const MOST_ROWS = 1_000;
const MOST_BYTES = 512 * 1024;

const ENDED = [...ENDINGS.map((ending) => `run.${ending}`), "step.completed", "step.failed"];
const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(", ");

interface Size {
  readonly id: number;
  readonly bytes: number;
}

const SIGNALS = { table: "signals", bytes: "octet_length(payload)" };
const LOGS = { table: "logs", bytes: "octet_length(message) + coalesce(octet_length(data), 0)" };

export class Rows {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  static open(data: string): Result<Rows, SqliteProblem> {
    const opened = openReader(join(data, "logs.db"));
    return opened.ok ? ok(new Rows(opened.value)) : opened;
  }

  /** Signals that this host made, of senses that `send` names. */
  signals(above: number, most: number, send: readonly string[]): Slice<SignalRow> {
    const isSent = (sense: string): boolean => send.some((pattern) => matches(pattern, sense));
    return this.#slice(above, most, SIGNALS, (from, to) =>
      this.#db
        .query<SignalRow, [number, number]>(
          `SELECT id, sense, at, trace, payload FROM signals
           WHERE id > ? AND id <= ? AND origin IS NULL ORDER BY id`,
        )
        .all(from, to)
        .filter(({ sense }) => isSent(sense)),
    );
  }

  /** Logs from this level on. */
  logs(above: number, most: number, level: LogLevel): Slice<LogRow> {
    const levels = quoted(LOG_LEVELS.slice(LOG_LEVELS.indexOf(level)));
    return this.#slice(above, most, LOGS, (from, to) =>
      this.#db
        .query<LogRow, [number, number]>(
          `SELECT id, at, level, source, event, run, trace, message, data FROM logs
           WHERE id > ? AND id <= ? AND level IN (${levels}) ORDER BY id`,
        )
        .all(from, to),
    );
  }

  /** Ends of runs and of steps. */
  ended(above: number, most: number): Slice<EndedRow> {
    return this.#slice(above, most, LOGS, (from, to) =>
      this.#db
        .query<EndedRow, [number, number]>(
          `SELECT logs.id, logs.at, logs.run, logs.event, logs.trace, logs.data,
             coalesce(runs.workflow, substr(logs.source, 10)) AS workflow, runs.reflex, runs.signal_id AS signal,
             runs.attempt, coalesce(runs.started_at, runs.queued_at) AS begunAt
           FROM logs LEFT JOIN workflow_runs AS runs ON runs.id = logs.run
           WHERE logs.id > ? AND logs.id <= ? AND logs.run IS NOT NULL AND logs.trace IS NOT NULL
             AND logs.event IN (${quoted(ENDED)}) ORDER BY logs.id`,
        )
        .all(from, to),
    );
  }

  #slice<Row>(
    above: number,
    most: number,
    { table, bytes }: typeof SIGNALS,
    read: (from: number, to: number) => readonly Row[],
  ): Slice<Row> {
    this.#db.run("BEGIN");
    try {
      const last = this.#lastId(table);
      const first = this.#firstId(table) ?? last + 1;
      const lost = Math.max(0, first - 1 - above);
      const from = above + lost;
      const sizes = this.#db
        .query<Size, [number, number]>(`SELECT id, ${bytes} AS bytes FROM ${table} WHERE id > ? ORDER BY id LIMIT ?`)
        .all(from, most);
      const { to, isWhole } = within(sizes);
      const isFull = !isWhole || sizes.length === most;
      // Ids that were given and left no row are behind all rows, or between rows: nothing of them will come.
      const upto = isFull ? to : Math.max(from, last);
      return { rows: read(from, upto), upto, lost, isFull };
    } finally {
      this.#db.run("COMMIT");
    }
  }

  #firstId(table: string): number | null {
    return this.#db.query<{ id: number | null }, []>(`SELECT min(id) AS id FROM ${table}`).get()?.id ?? null;
  }

  /** The highest id that was given. */
  #lastId(table: string): number {
    const row = this.#db.query<{ seq: number }, [string]>("SELECT seq FROM sqlite_sequence WHERE name = ?").get(table);
    return row?.seq ?? 0;
  }
}

/** How far the bound on bytes reaches: one row at least. */
function within(sizes: readonly Size[]): { readonly to: number; readonly isWhole: boolean } {
  let sum = 0;
  let to = 0;
  for (const { id, bytes } of sizes) {
    sum += bytes;
    if (sum > MOST_BYTES && to > 0) return { to, isWhole: false };
    to = id;
  }
  return { to, isWhole: true };
}

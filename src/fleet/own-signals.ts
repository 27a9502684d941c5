/** Reads the signals that this host made, in the order of their ids, from logs.db. It remembers nothing. */

import type { Database } from "bun:sqlite";
import { join } from "node:path";
import { matches } from "../base/glob.ts";
import { ok, type Result } from "../base/result.ts";
import { openReader, type SqliteProblem } from "../sqlite/open.ts";
import { type CarriedSignal, MAX_FRAME_BYTES, MAX_FRAME_SIGNALS, signalText } from "./frame.ts";
import { markOf, type Proof } from "./proof.ts";

/** Rows that are looked at before the turn is given up. */
const SLICE = 1_000;
/** A host that receives much and makes little has its newest own signal far below: so many ids are looked at for it. */
const NEAR = 100_000;

/** Signals as they stand in a frame. `upto`: all ids up to here were looked at. `lost`: ids behind the start that are gone. */
export interface Slice {
  readonly texts: readonly string[];
  /** The id of the last of them. */
  readonly lastId: number;
  readonly bytes: number;
  readonly upto: number;
  readonly lost: number;
  /** The newest signal that this host has made among the ids that were looked at, whether it leaves or not. */
  readonly proof: Proof | null;
  /** No more fits into one frame. */
  readonly isFull: boolean;
}

type Row = Pick<CarriedSignal, "id" | "at" | "trace">;

export class OwnSignals {
  readonly #db: Database;
  readonly #send: readonly string[];
  readonly #isSent = new Map<string, boolean>();
  readonly #rows;
  readonly #first;
  readonly #last;
  readonly #made;
  readonly #newest;

  private constructor(db: Database, send: readonly string[]) {
    this.#db = db;
    this.#send = send;
    this.#rows = db.prepare<CarriedSignal & { readonly origin: string | null }, [number, number, number]>(
      "SELECT id, sense, at, trace, payload, origin FROM signals WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
    );
    this.#first = db.prepare<{ id: number | null }, []>("SELECT min(id) AS id FROM signals");
    this.#last = db.prepare<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = 'signals'");
    this.#made = db.prepare<Row & { readonly origin: string | null }, [number]>(
      "SELECT id, at, trace, origin FROM signals WHERE id = ?",
    );
    this.#newest = db.prepare<Row, [number, number]>(
      "SELECT id, at, trace FROM signals WHERE id BETWEEN ? AND ? AND origin IS NULL ORDER BY id DESC LIMIT 1",
    );
  }

  static open(data: string, send: readonly string[]): Result<OwnSignals, SqliteProblem> {
    const opened = openReader(join(data, "logs.db"));
    return opened.ok ? ok(new OwnSignals(opened.value, send)) : opened;
  }

  /** The highest id that was given. */
  lastId(): number {
    return this.#last.get()?.seq ?? 0;
  }

  /** Whether the signal `id` was made here and has this mark; null: the signal is not there. */
  isOwn(id: number, mark: string): boolean | null {
    const row = this.#made.get(id);
    return row === null ? null : row.origin === null && markOf(row) === mark;
  }

  /** Retention has removed the signal `id`, whoever made it. */
  isGone(id: number): boolean {
    return id < (this.#first.get()?.id ?? this.lastId() + 1);
  }

  /** The newest signal that this host has made with an id from `from` to `to`. */
  newest(from: number, to: number): Proof | null {
    return proofOf(this.#newest.get(from, to));
  }

  /** The newest signal that this host has made up to the id `to`, where it is not far below. */
  newestUpto(to: number): Proof | null {
    return this.newest(to - NEAR, to);
  }

  /** Signals of `send` behind `above`, as many as fit beside `taken` others with `bytes`. */
  after(above: number, taken: number, bytes: number): Slice {
    this.#db.run("BEGIN");
    try {
      const last = this.lastId();
      const first = this.#first.get()?.id ?? last + 1;
      const lost = Math.max(0, first - 1 - above);
      return this.#read(above + lost, last, lost, { taken, bytes });
    } finally {
      this.#db.run("COMMIT");
    }
  }

  #read(above: number, last: number, lost: number, beside: { readonly taken: number; readonly bytes: number }): Slice {
    const rows = this.#rows.all(above, last, SLICE);
    const texts: string[] = [];
    let lastId = 0;
    let newest: Row | null = null;
    let { bytes } = beside;
    let upto = above;
    for (const row of rows) {
      if (row.origin === null && this.#leaves(row.sense)) {
        const text = signalText(row);
        // A damaged row leaves with nobody: it is named where logs.db is read.
        if (isJson(text)) {
          const isFirst = beside.taken + texts.length === 0;
          const isOver = beside.taken + texts.length >= MAX_FRAME_SIGNALS || bytes + text.length > MAX_FRAME_BYTES;
          if (isOver && !isFirst) return { texts, lastId, bytes, upto, lost, proof: proofOf(newest), isFull: true };
          texts.push(text);
          lastId = row.id;
          bytes += text.length;
        }
      }
      if (row.origin === null) newest = row;
      upto = row.id;
    }
    // Ids that were given and left no row are behind all rows, or between rows: nothing of them will come.
    const end = rows.length < SLICE ? Math.max(upto, last) : upto;
    return { texts, lastId, bytes, upto: end, lost, proof: proofOf(newest), isFull: false };
  }

  #leaves(sense: string): boolean {
    const known = this.#isSent.get(sense);
    if (known !== undefined) return known;
    const leaves = this.#send.some((pattern) => matches(pattern, sense));
    this.#isSent.set(sense, leaves);
    return leaves;
  }

  close(): void {
    this.#db.close(true);
  }
}

const proofOf = (row: Row | null): Proof | null => row && { id: row.id, mark: markOf(row) };

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

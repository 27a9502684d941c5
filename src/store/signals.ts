/** The table of signals: appended to by the kernel, read by cursor, its oldest rows removed by retention. */
import type { Database } from "bun:sqlite";
import { exceedsBytes } from "../base/json.ts";
import type { Signal } from "../model/signal.ts";
import { MAX_VALUE_BYTES } from "../model/value.ts";
import { ClockSteps } from "./clock-steps.ts";
import { type Check, ID, isId, JSON_TEXT, NAME, RowGuard, TIME, TRACE } from "./columns.ts";
import type { OnDamage } from "./damage.ts";
import { type Page, readPage, WHOLE_PAGE } from "./page.ts";
import { searchIn } from "./search.ts";
import { lastIdOf } from "./sequence.ts";

export interface NewSignal {
  readonly sense: string;
  readonly at: number;
  /** JSON text. */
  readonly payload: string;
  readonly cause: number | null;
  readonly trace: string;
}

export interface SignalFilter extends Page {
  /** Empty for all. */
  readonly senses: readonly string[];
}

const COLUMNS = "id, sense, at, payload, cause, trace";

export const ALL_SIGNALS: SignalFilter = { ...WHOLE_PAGE, senses: [] };

/** A payload is never null: a compute that has nothing to say makes no signal. */
const PAYLOAD: Check = {
  holds: (value, row) =>
    value !== "null" && JSON_TEXT.holds(value, row) && !exceedsBytes(value as string, MAX_VALUE_BYTES),
  what: "the text of a payload",
};

const CAUSE: Check = {
  holds: (value, { id }) => value === null || (isId(value) && value < (id as number)),
  what: "the id of an earlier signal",
};

export function signalTable(db: Database, onDamage: OnDamage) {
  const insert = db.prepare("INSERT INTO signals (sense, at, payload, cause, trace) VALUES (?, ?, ?, ?, ?)");
  const byId = db.prepare<Signal, [number]>(`SELECT ${COLUMNS} FROM signals WHERE id = ?`);
  const sensesBelow = db.prepare<Pick<Signal, "id" | "sense" | "at">, [number, number]>(
    "SELECT id, sense, at FROM signals WHERE id < ? ORDER BY id DESC LIMIT ?",
  );
  const columns = { id: ID, sense: NAME, at: TIME, payload: PAYLOAD, cause: CAUSE, trace: TRACE };
  const guard = new RowGuard<Signal>(db.filename, "signals", "id", columns, onDamage);
  /** Lets a row pass whose payload alone is damaged, and names it. */
  const named: Check = {
    holds(value, row) {
      if (!PAYLOAD.holds(value, row)) guard.passes(row as unknown as Signal);
      return true;
    },
    what: null,
  };
  const replayGuard = new RowGuard<Signal>(db.filename, "signals", "id", { ...columns, payload: named }, onDamage);
  const firstId = db.prepare<{ id: number | null }, []>("SELECT min(id) AS id FROM signals");
  const steps = new ClockSteps(db, "signals");
  return {
    ...searchIn(db, "signals", steps),
    /** Returns the id. Inside a commit of the store. */
    append(signal: NewSignal): number {
      const { sense, at, payload, cause, trace } = signal;
      const id = insert.run(sense, at, payload, cause, trace).lastInsertRowid as number;
      steps.appended(id, at);
      return id;
    },
    committed: (): void => steps.committed(),
    rolledBack: (): void => steps.rolledBack(),
    /** The newest `limit` rows below `id`, the newest first, without their payloads. Nothing of a row is checked. */
    sensesBelow: (id: number, limit: number): Pick<Signal, "id" | "sense" | "at">[] => sensesBelow.all(id, limit),
    byId: (id: number): Signal | null => guard.orNull(byId.get(id)),
    /** The highest id ever given, 0 before the first. */
    lastId: (): number => lastIdOf(db, "signals"),
    list: (filter: SignalFilter): Signal[] =>
      readPage<Signal>(db, guard, `SELECT ${COLUMNS} FROM signals`, filter, { sense: filter.senses }),
    /** As `list`, with signals of which the payload alone is damaged: a replay passes them by, and counts them. */
    replayable: (filter: SignalFilter): Signal[] =>
      readPage<Signal>(db, replayGuard, `SELECT ${COLUMNS} FROM signals`, filter, { sense: filter.senses }),
    /**
     * Removes up to `limit` rows from the oldest on, a prefix of ids (G2), stopping at the first that is younger than `cutoff` (one stamped
     * after `now` does not count as young). Returns how many went.
     */
    removeOldest(cutoff: number, now: number, limit: number): number {
      const first = firstId.get()?.id;
      if (first === null || first === undefined) return 0;
      const end = db
        .query<{ id: number }, [number, number, number, number]>(
          "SELECT id FROM signals WHERE id >= ? AND id < ? AND at >= ? AND at <= ? ORDER BY id LIMIT 1",
        )
        .get(first, first + limit, cutoff, now);
      return db.query("DELETE FROM signals WHERE id >= ? AND id < ?").run(first, end?.id ?? first + limit).changes;
    },
  };
}

/** The table of signals: appended to by the kernel, read by cursor, its oldest rows removed by retention. */
import type { Database } from "bun:sqlite";
import { exceedsBytes } from "../base/json.ts";
import { isRemote, partsOfName } from "../model/full-name.ts";
import type { Signal } from "../model/signal.ts";
import { MAX_VALUE_BYTES } from "../model/value.ts";
import { prepared } from "../sqlite/prepared.ts";
import { RowWriter } from "../sqlite/row-writer.ts";
import { ClockSteps } from "./clock-steps.ts";
import { type Check, ID, isId, JSON_TEXT, NAME, orNull, RowGuard, TIME, TRACE } from "./columns.ts";
import type { OnDamage } from "./damage.ts";
import { ANY, type Condition, IMPOSSIBLE, type Page, readPage, WHOLE_PAGE } from "./page.ts";
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

/** A signal of another host, or that says something of another host. */
export interface NewRemoteSignal {
  readonly sense: string;
  readonly at: number;
  readonly payload: string;
  readonly trace: string;
  readonly origin: string;
  readonly origin_id: number | null;
  readonly origin_at: number | null;
  readonly late: number | null;
}

export interface SignalFilter extends Page {
  /** Full names of senses, with `*` in those of other hosts. Empty for all. */
  readonly senses: readonly string[];
}

/** Signals behind an id, and the time of the first. */
export interface Following {
  readonly count: number;
  readonly at: number;
}

const OWN_COLUMNS = "id, sense, at, payload, cause, trace";
const ORIGIN_COLUMNS = ["origin", "origin_id", "origin_at", "late"] as const;

/** A reader may look at a store that 0013 has not reached. */
const hasOrigins = (db: Database): boolean =>
  db.query("SELECT 1 FROM pragma_table_info('signals') WHERE name = 'origin'").get() !== null;

const selectFrom = (db: Database): string => {
  const further = hasOrigins(db) ? ORIGIN_COLUMNS : ORIGIN_COLUMNS.map((column) => `NULL AS ${column}`);
  return `SELECT ${[OWN_COLUMNS, ...further].join(", ")} FROM signals`;
};

/** SQLite's own patterns know more signs than `*`. A name has none of them. */
const globOf = (pattern: string): string => pattern.replace(/[?[]/g, "[$&]");

/** Stands for every sense of this host among the names of a filter. */
export const EVERY_OWN = "*";

/** `senses` as full names: those of this host are listed, those of others are patterns. */
function conditionOf(senses: readonly string[]): Condition {
  if (senses.length === 0) return ANY;
  const own = senses.filter((name) => !isRemote(name) && name !== EVERY_OWN);
  const remote = senses.filter(isRemote).map(partsOfName);
  const here = [
    ...(own.length === 0 ? [] : [`(sense IN (${own.map(() => "?").join(", ")}) AND origin IS NULL)`]),
    ...(senses.includes(EVERY_OWN) ? ["origin IS NULL"] : []),
  ];
  const there = remote.map(() => "(origin GLOB ? AND sense GLOB ?)");
  const where = [...here, ...there, IMPOSSIBLE.sense, IMPOSSIBLE.origin].join(" OR ");
  const values = [...own, ...remote.flatMap(({ origin, sense }) => [globOf(origin ?? ""), globOf(sense)])];
  return { where: [`(${where})`], values };
}

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

const followingIn =
  (db: Database) =>
  (senses: readonly string[], after: number, most: number): Following | null => {
    const { where, values } = conditionOf(senses);
    const rows = `SELECT at FROM signals WHERE ${["id > ?", ...where].join(" AND ")} ORDER BY id LIMIT ?`;
    const found = db
      .query<Following, (string | number)[]>(`SELECT count(*) AS count, at FROM (${rows})`)
      .get(after, ...values, most);
    return found === null || found.count === 0 ? null : found;
  };

const OWN_WIDTH = 5;

/** Appends signals that are made here. */
class Appender {
  readonly #rows: RowWriter;
  readonly #steps: ClockSteps;

  constructor(db: Database, steps: ClockSteps) {
    const insert = "INSERT INTO signals (sense, at, payload, cause, trace) VALUES";
    this.#rows = new RowWriter(db, OWN_WIDTH, (places) => `${insert} ${places}`);
    this.#steps = steps;
  }

  /** Returns the id of the first. */
  append(signals: readonly NewSignal[]): number {
    const values: (string | number | null)[] = [];
    for (const { sense, at, payload, cause, trace } of signals) values.push(sense, at, payload, cause, trace);
    const first = this.#rows.write(values) - signals.length + 1;
    let id = first;
    for (const { at } of signals) this.#steps.appended(id++, at);
    return first;
  }
}

export function signalTable(db: Database, onDamage: OnDamage) {
  const select = selectFrom(db);
  const byId = db.prepare<Signal, [number]>(`${select} WHERE id = ?`);
  const sensesBelow = db.prepare<Pick<Signal, "id" | "sense" | "at">, [number, number]>(
    `SELECT id, ${hasOrigins(db) ? "CASE WHEN origin IS NULL THEN sense ELSE origin || '/' || sense END" : "sense"} AS sense, at
     FROM signals WHERE id < ? ORDER BY id DESC LIMIT ?`,
  );
  const insertRemote = prepared(
    db,
    `INSERT INTO signals (sense, at, payload, trace, origin, origin_id, origin_at, late) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const made = { id: ID, sense: NAME, at: TIME, payload: PAYLOAD, cause: CAUSE, trace: TRACE };
  const columns = { ...made, origin: orNull(NAME), origin_id: orNull(ID), origin_at: orNull(TIME), late: orNull(ID) };
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
  const appender = new Appender(db, steps);
  return {
    ...searchIn(db, "signals", steps),
    /** Returns the id. Inside a commit of the store. */
    append: (signal: NewSignal): number => appender.append([signal]),
    /** As `append`, for at least one signal. Returns the id of the first; the others have the ids that follow. */
    appendMany: (signals: readonly NewSignal[]): number => appender.append(signals),
    /** As `append`, for what came from another host. */
    appendRemote(signal: NewRemoteSignal): number {
      const { sense, at, payload, trace, origin, origin_id, origin_at, late } = signal;
      const row = insertRemote().run(sense, at, payload, trace, origin, origin_id, origin_at, late);
      const id = row.lastInsertRowid as number;
      steps.appended(id, at);
      return id;
    },
    committed: (): void => steps.committed(),
    rolledBack: (): void => steps.rolledBack(),
    /** The newest `limit` rows below `id`, the newest first, without their payloads. `sense`: the full name. Nothing of a row is checked. */
    sensesBelow: (id: number, limit: number): Pick<Signal, "id" | "sense" | "at">[] => sensesBelow.all(id, limit),
    byId: (id: number): Signal | null => guard.orNull(byId.get(id)),
    /** The highest id ever given, 0 before the first. */
    lastId: (): number => lastIdOf(db, "signals"),
    list: (filter: SignalFilter): Signal[] => readPage<Signal>(db, guard, select, filter, conditionOf(filter.senses)),
    /** As `list`, with signals of which the payload alone is damaged: a replay passes them by, and counts them. */
    replayable: (filter: SignalFilter): Signal[] =>
      readPage<Signal>(db, replayGuard, select, filter, conditionOf(filter.senses)),
    /** How many signals of `senses` come after the id `after`, counted up to `most`, and when the first of them came; null: none does. */
    following: followingIn(db),
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

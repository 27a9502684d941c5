/** What the kernel owes each sense and holds against it, across restarts. */
import type { Database, SQLQueryBindings, Statement } from "bun:sqlite";
import type { Moment } from "../base/clock.ts";
import { type Json, readJson } from "../base/json.ts";
import { type Problem, problem } from "../model/problem.ts";
import { prepared } from "../sqlite/prepared.ts";
import { RowWriter } from "../sqlite/row-writer.ts";
import { isCount } from "./columns.ts";
import { shownValue } from "./damage.ts";

/** A decision to run a sense that no settled compute has answered yet (G1). */
export interface Owed {
  readonly reason: "signal" | "cron" | "start" | "manual" | "tick" | "watch";
  /** Unix milliseconds: when it was due or decided. */
  readonly at: number;
  readonly cause: number | null;
  readonly trace: string;
}

export interface Quarantine {
  readonly since: Moment;
  readonly forMs: number;
}

export interface SenseState {
  readonly sense: string;
  readonly outbox: number;
  readonly owed: Owed | null;
  /** Causes of a compute that had not settled when `owed` was decided, and that one answers it too if it never does. */
  readonly unanswered: readonly number[];
  /** Start of the newest compute; kept only for a sense with a throttle. */
  readonly started: Moment | null;
  readonly strikes: number;
  readonly quarantine: Quarantine | null;
  /** Columns that cannot be read: they are taken for empty. */
  readonly damaged: readonly RepairedColumn[];
}

export type JsonColumn = "owed" | "started" | "quarantine";
/** `outbox` is not among them: a sense whose cursor is not known must not compute. */
export type RepairedColumn = JsonColumn | "strikes";

interface Row {
  sense: string;
  outbox: number;
  owed: string | null;
  started: string | null;
  strikes: number;
  quarantine: string | null;
}

type Fields = Readonly<Record<string, Json | undefined>>;

const isMap = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isMoment = (value: Json | undefined): boolean =>
  isMap(value) && typeof value.bootId === "string" && Number.isFinite(value.bootMs) && Number.isFinite(value.wallMs);

/** What each JSON column holds when nobody but nerve has written it. */
const WHOLE: Readonly<Record<JsonColumn, (value: Fields) => boolean>> = {
  owed: ({ reason, at, cause, trace, unanswered = [] }) =>
    typeof reason === "string" &&
    Number.isFinite(at) &&
    (cause === null || Number.isFinite(cause)) &&
    typeof trace === "string" &&
    Array.isArray(unanswered),
  started: (value) => isMoment(value as Json),
  quarantine: ({ since, forMs }) => isMoment(since) && Number.isFinite(forMs),
};

const damagedOutbox = (sense: string, outbox: unknown): Problem =>
  problem(
    "sense-state-damaged",
    `logs.db, table sense_state, row ${sense}: outbox is ${shownValue(outbox)}, so nobody can tell which signals of the sense were taken`,
    "stop nerve and set it to `max(id)` of `_outbox` in the database of the sense (0 when it has none), or put back a copy of logs.db",
  );

function stateOf({ sense, outbox, strikes, ...columns }: Row): SenseState {
  const damaged: RepairedColumn[] = [];
  if (!isCount(strikes)) damaged.push("strikes");
  const read = <T>(column: JsonColumn): T | null => {
    const written = columns[column];
    if (written === null) return null;
    const value = readJson(written);
    if (isMap(value) && WHOLE[column](value)) return value as T;
    damaged.push(column);
    return null;
  };
  const owed = read<Owed & { readonly unanswered: readonly number[] | undefined }>("owed");
  const { unanswered = [], ...decision } = owed ?? {};
  return {
    sense,
    outbox: isCount(outbox) ? outbox : 0,
    owed: owed === null ? null : (decision as Owed),
    unanswered,
    started: read<Moment>("started"),
    strikes: isCount(strikes) ? strikes : 0,
    quarantine: read<Quarantine>("quarantine"),
    damaged,
  };
}

const text = (value: object | null): string | null => (value === null ? null : JSON.stringify(value));

/** What is owed to a sense from here on. */
export interface OwedChange extends Pick<SenseState, "sense" | "owed" | "unanswered"> {}

const owedText = ({ owed, unanswered }: OwedChange): string | null =>
  text(owed === null || unanswered.length === 0 ? owed : { ...owed, unanswered });

/** The numbers of senses in the table. */
class SenseKeys {
  readonly #known = new Map<string, number>();
  readonly #find: () => Statement;
  readonly #insert: () => Statement;

  constructor(db: Database) {
    this.#find = prepared(db, "SELECT id FROM sense_state WHERE sense = ?");
    this.#insert = prepared(db, "INSERT INTO sense_state (sense) VALUES (?)");
  }

  of(sense: string): number {
    const known = this.#known.get(sense);
    if (known !== undefined) return known;
    const found = this.#find().get(sense) as { readonly id: number } | null;
    const id = found?.id ?? (this.#insert().run(sense).lastInsertRowid as number);
    this.#known.set(sense, id);
    return id;
  }

  /** A row that was made in a transaction that is undone is not there. */
  forget(): void {
    this.#known.clear();
  }
}

export function senseStateTable(db: Database) {
  const keys = new SenseKeys(db);
  const column = <Value extends string | number | null>(name: keyof Row) => {
    const insert = `INSERT INTO sense_state (id, sense, ${name}) VALUES`;
    const writer = new RowWriter(
      db,
      3,
      (places) => `${insert} ${places} ON CONFLICT (id) DO UPDATE SET ${name} = excluded.${name}`,
    );
    return <Change extends Pick<SenseState, "sense">>(
      rows: readonly Change[],
      value: (change: Change) => Value,
    ): void => {
      const values: SQLQueryBindings[] = [];
      for (const row of rows) values.push(keys.of(row.sense), row.sense, value(row));
      if (rows.length > 0) writer.write(values);
    };
  };
  const outbox = column<number>("outbox");
  const owed = column<string | null>("owed");
  const started = column<string | null>("started");
  const strikes = column<number>("strikes");
  const quarantine = column<string | null>("quarantine");
  return {
    all: (): SenseState[] =>
      db.query<Row, []>("SELECT sense, outbox, owed, started, strikes, quarantine FROM sense_state").all().map(stateOf),
    /** What is wrong with the outbox cursor of a sense, or null. */
    problemOf(sense: string): Problem | null {
      const { outbox = 0 } =
        db.query<{ outbox: unknown }, [string]>("SELECT outbox FROM sense_state WHERE sense = ?").get(sense) ?? {};
      return isCount(outbox) ? null : damagedOutbox(sense, outbox);
    },
    /** A column that cannot be read. */
    empty: (sense: string, column: RepairedColumn): void =>
      void db.query(`UPDATE sense_state SET ${column} = ? WHERE sense = ?`).run(column === "strikes" ? 0 : null, sense),
    /** The highest outbox rows taken. */
    setOutbox: (rows: readonly Pick<SenseState, "sense" | "outbox">[]): void => outbox(rows, (row) => row.outbox),
    setOwed: (changes: readonly OwedChange[]): void => owed(changes, owedText),
    setStarted: (sense: string, value: Moment | null): void => started([{ sense }], () => text(value)),
    setStrikes: (sense: string, count: number): void => strikes([{ sense }], () => count),
    setQuarantine: (sense: string, value: Quarantine | null): void => quarantine([{ sense }], () => text(value)),
    rolledBack: (): void => keys.forget(),
  };
}

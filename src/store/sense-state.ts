/** What the kernel owes each sense and holds against it, across restarts. */
import type { Database } from "bun:sqlite";
import type { Moment } from "../base/clock.ts";
import { type Json, readJson } from "../base/json.ts";
import { type Problem, problem } from "../model/problem.ts";
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

export function senseStateTable(db: Database) {
  const upsert = (column: keyof Row) =>
    db.prepare(
      `INSERT INTO sense_state (sense, ${column}) VALUES (?, ?) ON CONFLICT (sense) DO UPDATE SET ${column} = excluded.${column}`,
    );
  const outbox = upsert("outbox");
  const owed = upsert("owed");
  const started = upsert("started");
  const strikes = upsert("strikes");
  const quarantine = upsert("quarantine");
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
    setOutbox: (sense: string, id: number): void => void outbox.run(sense, id),
    setOwed: (sense: string, value: Owed | null, unanswered: readonly number[] = []): void =>
      void owed.run(sense, text(value === null || unanswered.length === 0 ? value : { ...value, unanswered })),
    setStarted: (sense: string, value: Moment | null): void => void started.run(sense, text(value)),
    setStrikes: (sense: string, count: number): void => void strikes.run(sense, count),
    setQuarantine: (sense: string, value: Quarantine | null): void => void quarantine.run(sense, text(value)),
  };
}

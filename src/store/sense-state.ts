/** What the kernel owes each sense and holds against it, across restarts. */
import type { Database } from "bun:sqlite";
import type { Moment } from "../base/clock.ts";

/** A decision to run a sense that no settled compute has answered yet (G1). */
export interface Owed {
  readonly reason: "signal" | "cron" | "start" | "manual" | "tick";
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
  /** Start of the newest compute; kept only for a sense with a throttle. */
  readonly started: Moment | null;
  readonly strikes: number;
  readonly quarantine: Quarantine | null;
}

interface Row {
  sense: string;
  outbox: number;
  owed: string | null;
  started: string | null;
  strikes: number;
  quarantine: string | null;
}

const parse = <T>(text: string | null): T | null => (text === null ? null : (JSON.parse(text) as T));
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
      db
        .query<Row, []>("SELECT sense, outbox, owed, started, strikes, quarantine FROM sense_state")
        .all()
        .map((row) => ({
          sense: row.sense,
          outbox: row.outbox,
          owed: parse<Owed>(row.owed),
          started: parse<Moment>(row.started),
          strikes: row.strikes,
          quarantine: parse<Quarantine>(row.quarantine),
        })),
    setOutbox: (sense: string, id: number): void => void outbox.run(sense, id),
    setOwed: (sense: string, value: Owed | null): void => void owed.run(sense, text(value)),
    setStarted: (sense: string, value: Moment | null): void => void started.run(sense, text(value)),
    setStrikes: (sense: string, count: number): void => void strikes.run(sense, count),
    setQuarantine: (sense: string, value: Quarantine | null): void => void quarantine.run(sense, text(value)),
  };
}

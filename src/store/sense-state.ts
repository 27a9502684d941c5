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
  /** Causes of a compute that had not settled when `owed` was decided, and that one answers it too if it never does. */
  readonly unanswered: readonly number[];
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

interface Kept extends Owed {
  readonly unanswered?: readonly number[];
}

function parseOwed(text: string | null): Pick<SenseState, "owed" | "unanswered"> {
  const kept = parse<Kept>(text);
  if (kept === null) return { owed: null, unanswered: [] };
  const { unanswered = [], ...owed } = kept;
  return { owed, unanswered };
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
          ...parseOwed(row.owed),
          started: parse<Moment>(row.started),
          strikes: row.strikes,
          quarantine: parse<Quarantine>(row.quarantine),
        })),
    setOutbox: (sense: string, id: number): void => void outbox.run(sense, id),
    setOwed: (sense: string, value: Owed | null, unanswered: readonly number[] = []): void =>
      void owed.run(sense, text(value === null || unanswered.length === 0 ? value : { ...value, unanswered })),
    setStarted: (sense: string, value: Moment | null): void => void started.run(sense, text(value)),
    setStrikes: (sense: string, count: number): void => void strikes.run(sense, count),
    setQuarantine: (sense: string, value: Quarantine | null): void => void quarantine.run(sense, text(value)),
  };
}

/** The tables of what is known of other hosts, and of the epochs that they have left. */
import type { Database } from "bun:sqlite";
import { FORMER_EPOCHS, ORIGIN_STATES, type Origin, type OriginEpoch } from "../model/origin.ts";
import { prepared } from "../sqlite/prepared.ts";
import { COUNT, NAME, oneOf, RowGuard, TEXT, TIME } from "./columns.ts";
import type { OnDamage } from "./damage.ts";

const COLUMNS = "host, epoch, upto, at, signals, gaps, missing, late, state, since, heard";

/** A reader may look at a store that 0013 has not reached. */
const hasOrigins = (db: Database): boolean =>
  db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'origins'").get() !== null;

export function originTable(db: Database, onDamage: OnDamage) {
  const columns = {
    host: NAME,
    epoch: TEXT,
    upto: COUNT,
    at: TIME,
    signals: COUNT,
    gaps: COUNT,
    missing: COUNT,
    late: COUNT,
    state: oneOf(ORIGIN_STATES),
    since: TIME,
    heard: COUNT,
  };
  const guard = new RowGuard<Origin>(db.filename, "origins", "host", columns, onDamage);
  const former = { host: NAME, epoch: TEXT, upto: COUNT };
  const formerGuard = new RowGuard<OriginEpoch>(db.filename, "origin_epochs", "epoch", former, onDamage);
  const put = prepared(
    db,
    `INSERT INTO origins (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (host)
     DO UPDATE SET epoch = excluded.epoch, upto = excluded.upto, at = excluded.at, signals = excluded.signals,
       gaps = excluded.gaps, missing = excluded.missing, late = excluded.late, state = excluded.state,
       since = excluded.since, heard = excluded.heard`,
  );
  return {
    /** By name. */
    all: (): Origin[] =>
      hasOrigins(db) ? guard.rows(db.query<Origin, []>(`SELECT ${COLUMNS} FROM origins ORDER BY host`).all()) : [],
    /** The epochs that hosts have left. */
    former: (): OriginEpoch[] =>
      hasOrigins(db)
        ? formerGuard.rows(
            db.query<OriginEpoch, []>("SELECT host, epoch, upto FROM origin_epochs ORDER BY host, at").all(),
          )
        : [],
    put({ host, epoch, upto, at, signals, gaps, missing, late, state, since, heard }: Origin): void {
      put().run(host, epoch, upto, at, signals, gaps, missing, late, state, since, heard);
    },
    /** Of a host whose epochs stay known. */
    forget(host: string): void {
      db.query("DELETE FROM origins WHERE host = ?").run(host);
    },
    /** Keeps how far an epoch went. */
    leave({ host, epoch, upto }: OriginEpoch, at: number): void {
      db.query(
        `INSERT INTO origin_epochs (host, epoch, upto, at) VALUES (?, ?, ?, ?) ON CONFLICT (host, epoch)
         DO UPDATE SET upto = excluded.upto, at = excluded.at`,
      ).run(host, epoch, upto, at);
      db.query(
        `DELETE FROM origin_epochs WHERE host = ? AND epoch NOT IN
           (SELECT epoch FROM origin_epochs WHERE host = ? ORDER BY at DESC LIMIT ${FORMER_EPOCHS})`,
      ).run(host, host);
    },
  };
}

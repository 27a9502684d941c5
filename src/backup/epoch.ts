import { Database } from "bun:sqlite";
import { randomBytes } from "../base/chance.ts";
import { EPOCHS, withEpoch } from "../store/epochs.ts";

/**
 * Gives a logs.db another epoch. Ids above its newest ids may be given again, to other signals, so no cursor of a reader is
 * good across this change.
 */
export function changeEpoch(file: string): void {
  const db = new Database(file, { readwrite: true, strict: true });
  try {
    changeEpochIn(db);
  } finally {
    db.close(true);
  }
}

export function changeEpochIn(db: Database): void {
  const set = db.query(
    "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  db.transaction(() => {
    const given = "SELECT seq FROM sqlite_sequence WHERE name = 'signals'";
    const from = db.query<{ seq: number }, []>(given).get()?.seq ?? 0;
    const epoch = randomBytes(8).toString("hex");
    const known = db.query<{ value: string }, [string]>("SELECT value FROM meta WHERE key = ?").get(EPOCHS);
    set.run("epoch_from", String(from));
    set.run("epoch", epoch);
    set.run(EPOCHS, withEpoch(known?.value ?? null, epoch, from));
  }).immediate();
}

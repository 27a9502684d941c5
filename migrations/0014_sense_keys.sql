-- The table as before, with a number for each sense: what is owed changes with every reaction, and a row is found by a number
-- in half the time that a name takes.
CREATE TABLE sense_state_with_id (
  id         INTEGER PRIMARY KEY,
  sense      TEXT    NOT NULL UNIQUE,
  outbox     INTEGER NOT NULL DEFAULT 0,
  owed       TEXT,
  started    TEXT,
  strikes    INTEGER NOT NULL DEFAULT 0,
  quarantine TEXT
);

INSERT INTO sense_state_with_id (sense, outbox, owed, started, strikes, quarantine)
SELECT sense, outbox, owed, started, strikes, quarantine FROM sense_state ORDER BY sense;

DROP TABLE sense_state;

ALTER TABLE sense_state_with_id RENAME TO sense_state;

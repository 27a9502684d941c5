-- What nerve remembers: facts (signals), records (logs), and what the next decision needs.

-- Immutable; the id is the total order and the cursor. No index beside it: a trace is found by the time in its id.
CREATE TABLE signals (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  sense   TEXT    NOT NULL,
  at      INTEGER NOT NULL,
  payload TEXT    NOT NULL,
  cause   INTEGER,
  trace   TEXT    NOT NULL
);

CREATE TABLE logs (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  at      INTEGER NOT NULL,
  level   TEXT    NOT NULL,
  source  TEXT    NOT NULL,
  event   TEXT    NOT NULL,
  run     INTEGER,
  trace   TEXT,
  message TEXT    NOT NULL,
  data    TEXT
);

-- One row a reflex and key. `definition` is what the state belongs to: another definition begins anew.
CREATE TABLE reflex_state (
  reflex     TEXT NOT NULL,
  key        TEXT NOT NULL DEFAULT '',
  definition TEXT NOT NULL,
  state      TEXT NOT NULL,
  PRIMARY KEY (reflex, key)
) WITHOUT ROWID;

-- What the kernel owes and holds against a sense. `outbox`: highest outbox row taken. `owed`, `started`, `quarantine`:
-- JSON, NULL when there is none.
CREATE TABLE sense_state (
  sense      TEXT PRIMARY KEY,
  outbox     INTEGER NOT NULL DEFAULT 0,
  owed       TEXT,
  started    TEXT,
  strikes    INTEGER NOT NULL DEFAULT 0,
  quarantine TEXT
) WITHOUT ROWID;

-- `sense:NAME` and `reflex:NAME` that were switched off.
CREATE TABLE switches (
  name        TEXT PRIMARY KEY,
  disabled_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

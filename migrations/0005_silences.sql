-- Reflexes that start no workflow for a while. `until`: Unix milliseconds, as shown; `due`: the same moment on the axis of
-- elapsed time, which counts.
CREATE TABLE silences (
  pattern TEXT PRIMARY KEY,
  why     TEXT    NOT NULL,
  at      INTEGER NOT NULL,
  until   INTEGER NOT NULL,
  due     INTEGER NOT NULL
) WITHOUT ROWID;

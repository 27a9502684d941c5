CREATE TABLE samples (
  id          INTEGER PRIMARY KEY,
  at          INTEGER NOT NULL,
  state       TEXT NOT NULL,
  exit_code   INTEGER,
  duration_ms INTEGER,
  failures    INTEGER NOT NULL
) STRICT;
CREATE INDEX samples_at ON samples (at);

CREATE TABLE job (
  id         INTEGER PRIMARY KEY,
  started_at INTEGER,
  is_late    INTEGER NOT NULL,
  failures   INTEGER NOT NULL,
  successes  INTEGER NOT NULL
) STRICT;

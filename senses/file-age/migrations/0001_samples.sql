CREATE TABLE samples (
  id        INTEGER PRIMARY KEY,
  at        INTEGER NOT NULL,
  path      TEXT NOT NULL,
  ok        INTEGER NOT NULL,
  reason    TEXT,
  age_s     REAL,
  bytes     INTEGER,
  failures  INTEGER NOT NULL,
  successes INTEGER NOT NULL
) STRICT;
CREATE INDEX samples_at ON samples (at);

CREATE TABLE sizes (
  id         INTEGER PRIMARY KEY,
  pattern    TEXT NOT NULL,
  file       TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  bytes      INTEGER NOT NULL
) STRICT;

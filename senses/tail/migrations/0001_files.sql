CREATE TABLE samples (
  id           INTEGER PRIMARY KEY,
  at           INTEGER NOT NULL,
  lines        INTEGER NOT NULL,
  matched      INTEGER NOT NULL,
  bytes        INTEGER NOT NULL,
  behind_bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX samples_at ON samples (at);

CREATE TABLE files (
  id         INTEGER PRIMARY KEY,
  path       TEXT NOT NULL,
  identity   TEXT NOT NULL,
  offset     INTEGER NOT NULL,
  skipping   INTEGER NOT NULL,
  head       TEXT NOT NULL,
  last       TEXT NOT NULL,
  seen_bytes INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE following (
  id        INTEGER PRIMARY KEY,
  path      TEXT NOT NULL,
  looked_at INTEGER NOT NULL
) STRICT;

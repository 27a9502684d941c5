CREATE TABLE samples (
  id        INTEGER PRIMARY KEY,
  at        INTEGER NOT NULL,
  running   INTEGER NOT NULL,
  unhealthy INTEGER NOT NULL,
  restarted INTEGER NOT NULL
) STRICT;
CREATE INDEX samples_at ON samples (at);

CREATE TABLE counters (
  id        INTEGER PRIMARY KEY,
  container TEXT NOT NULL,
  restarts  INTEGER NOT NULL
) STRICT;

CREATE TABLE samples (
  id       INTEGER PRIMARY KEY,
  at       INTEGER NOT NULL,
  running  INTEGER,
  queued   INTEGER,
  sleeping INTEGER,
  restarts INTEGER
) STRICT;

CREATE INDEX samples_at ON samples (at);

CREATE TABLE samples (
  id              INTEGER PRIMARY KEY,
  at              INTEGER NOT NULL,
  failed_count    INTEGER NOT NULL,
  restarted_count INTEGER NOT NULL,
  late_count      INTEGER NOT NULL
) STRICT;
CREATE INDEX samples_at ON samples (at);

CREATE TABLE counters (
  id       INTEGER PRIMARY KEY,
  unit     TEXT NOT NULL,
  restarts INTEGER NOT NULL
) STRICT;

CREATE TABLE samples (
  id              INTEGER PRIMARY KEY,
  at              INTEGER NOT NULL,
  load1           REAL NOT NULL,
  load5           REAL NOT NULL,
  load15          REAL NOT NULL,
  cores           INTEGER NOT NULL,
  load1_per_core  REAL NOT NULL,
  load5_per_core  REAL NOT NULL,
  load15_per_core REAL NOT NULL
) STRICT;

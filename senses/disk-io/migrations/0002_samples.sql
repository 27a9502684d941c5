CREATE TABLE samples (
  id                     INTEGER PRIMARY KEY,
  at                     INTEGER NOT NULL,
  read_bytes_per_second  REAL,
  write_bytes_per_second REAL,
  reads_per_second       REAL,
  writes_per_second      REAL
) STRICT;

CREATE INDEX samples_at ON samples (at);

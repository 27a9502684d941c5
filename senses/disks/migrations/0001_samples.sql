CREATE TABLE samples (
  id                  INTEGER PRIMARY KEY,
  at                  INTEGER NOT NULL,
  path                TEXT NOT NULL,
  total_bytes         INTEGER NOT NULL,
  used_bytes          INTEGER NOT NULL,
  available_bytes     INTEGER NOT NULL,
  used_percent        REAL,
  inodes_used_percent REAL
) STRICT;
CREATE INDEX samples_at ON samples (at);

CREATE TABLE samples (
  id                INTEGER PRIMARY KEY,
  at                INTEGER NOT NULL,
  total_bytes       INTEGER NOT NULL,
  available_bytes   INTEGER NOT NULL,
  used_percent      REAL NOT NULL,
  swap_used_bytes   INTEGER NOT NULL,
  swap_used_percent REAL
) STRICT;

CREATE TABLE samples (
  id                   INTEGER PRIMARY KEY,
  at                   INTEGER NOT NULL,
  rx_bytes_per_second  REAL,
  tx_bytes_per_second  REAL,
  rx_errors_per_second REAL,
  tx_errors_per_second REAL
) STRICT;

CREATE INDEX samples_at ON samples (at);

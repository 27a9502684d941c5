CREATE TABLE samples (
  id                        INTEGER PRIMARY KEY,
  at                        INTEGER NOT NULL,
  cpu_some_avg10_percent    REAL,
  cpu_some_avg60_percent    REAL,
  memory_some_avg10_percent REAL,
  memory_some_avg60_percent REAL,
  memory_full_avg60_percent REAL,
  io_some_avg10_percent     REAL,
  io_some_avg60_percent     REAL,
  io_full_avg60_percent     REAL
) STRICT;

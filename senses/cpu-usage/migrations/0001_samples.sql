CREATE TABLE samples (
  id             INTEGER PRIMARY KEY,
  at             INTEGER NOT NULL,
  usage_percent  REAL NOT NULL,
  user_percent   REAL NOT NULL,
  system_percent REAL NOT NULL,
  iowait_percent REAL NOT NULL,
  irq_percent    REAL NOT NULL,
  steal_percent  REAL NOT NULL
) STRICT;

CREATE TABLE counters (
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  boot_id TEXT NOT NULL,
  ticks   TEXT NOT NULL
) STRICT;

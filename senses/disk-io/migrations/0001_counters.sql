CREATE TABLE counters (
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  boot_id   TEXT NOT NULL,
  uptime_ms INTEGER NOT NULL,
  wall_ms   INTEGER NOT NULL,
  devices   TEXT NOT NULL
) STRICT;

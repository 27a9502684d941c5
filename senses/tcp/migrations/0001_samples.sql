CREATE TABLE samples (
  id        INTEGER PRIMARY KEY,
  at        INTEGER NOT NULL,
  target    TEXT NOT NULL,
  ok        INTEGER NOT NULL,
  reason    TEXT,
  ms        REAL NOT NULL,
  failures  INTEGER NOT NULL,
  successes INTEGER NOT NULL
) STRICT;
CREATE INDEX samples_at ON samples (at);

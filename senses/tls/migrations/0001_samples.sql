CREATE TABLE samples (
  id        INTEGER PRIMARY KEY,
  at        INTEGER NOT NULL,
  target    TEXT NOT NULL,
  ok        INTEGER NOT NULL,
  reason    TEXT,
  days      REAL,
  failures  INTEGER NOT NULL,
  successes INTEGER NOT NULL
) STRICT;
CREATE INDEX samples_at ON samples (at);

CREATE TABLE samples (
  id      INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  matched INTEGER NOT NULL
) STRICT;
CREATE INDEX samples_at ON samples (at);

CREATE TABLE cursors (
  id     INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  cursor TEXT NOT NULL
) STRICT;

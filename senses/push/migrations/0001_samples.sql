CREATE TABLE samples (
  id    INTEGER PRIMARY KEY,
  at    INTEGER NOT NULL,
  items INTEGER NOT NULL
) STRICT;
CREATE INDEX samples_at ON samples (at);

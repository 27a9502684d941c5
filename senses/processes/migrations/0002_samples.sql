CREATE TABLE samples (
  id      INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  total   INTEGER,
  threads INTEGER,
  running INTEGER,
  blocked INTEGER,
  zombie  INTEGER
) STRICT;

CREATE INDEX samples_at ON samples (at);

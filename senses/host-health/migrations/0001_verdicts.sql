CREATE TABLE verdicts (
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  verdict TEXT NOT NULL
) STRICT;

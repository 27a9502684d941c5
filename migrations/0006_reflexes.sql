-- The reflexes that are loaded, each in its present definition. `since`: the last signal there was when it was first
-- loaded; what it decides begins after that one. `at`: Unix milliseconds of that moment.
CREATE TABLE reflexes (
  name       TEXT PRIMARY KEY,
  definition TEXT    NOT NULL,
  since      INTEGER NOT NULL,
  at         INTEGER NOT NULL
) WITHOUT ROWID;

-- Of those an earlier build had loaded nobody knows since when: what is loaded next is taken as there all the time.
INSERT INTO meta (key, value) SELECT 'reflexes', 'unknown' WHERE EXISTS (SELECT 1 FROM signals);

-- A run's history is read by its run.
CREATE INDEX logs_run ON logs (run) WHERE run IS NOT NULL;

-- One row an archive file: what it holds, and by which it is known to be whole.
CREATE TABLE archive (
  file     TEXT    PRIMARY KEY,
  -- YYYY-MM-DD in UTC.
  day      TEXT    NOT NULL,
  first_id INTEGER NOT NULL,
  last_id  INTEGER NOT NULL,
  rows     INTEGER NOT NULL,
  bytes    INTEGER NOT NULL,
  sha256   TEXT    NOT NULL,
  at       INTEGER NOT NULL,
  -- The last log of the file before it: what lies between was in no log when this one was written. NULL: not known.
  after_id INTEGER
) WITHOUT ROWID;
CREATE INDEX archive_by_id ON archive (first_id);

-- The watermark: nothing is archived yet.
INSERT INTO meta (key, value) VALUES ('archived_up_to', '0');

-- What refers to a blob: the newest signal and the newest log that do, 0 for none. Rows go from the oldest on, so that
-- one tells whether any is left. Digests of blobs that are not there may be among them.
CREATE TABLE blob_references (
  digest TEXT    PRIMARY KEY,
  signal INTEGER NOT NULL DEFAULT 0,
  log    INTEGER NOT NULL DEFAULT 0,
  -- Since when nothing is known to refer to it: a moment as JSON, NULL while something does.
  unreferenced TEXT
) WITHOUT ROWID;

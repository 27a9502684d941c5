-- What was handed in from outside and no settled compute has taken (G11). A queue, not a record: a row goes in the transaction
-- that takes the result of the compute that took it. `origin`: drawn at each start of the kernel; together with `id` it is
-- what a sense knows an item by. `failures`: how often a compute failed that had this item alone.
CREATE TABLE inbox (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  sense    TEXT    NOT NULL,
  origin   TEXT    NOT NULL,
  at       INTEGER NOT NULL,
  key      TEXT,
  type     TEXT,
  body     TEXT    NOT NULL,
  trace    TEXT    NOT NULL,
  state    TEXT    NOT NULL DEFAULT 'waiting',
  failures INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX inbox_by_sense ON inbox (sense, id);

-- Requests whose sender gave them an identity: the same request again is answered with the ids of the first.
CREATE TABLE inbox_requests (
  first    INTEGER PRIMARY KEY,
  items    INTEGER NOT NULL,
  sense    TEXT    NOT NULL,
  identity TEXT    NOT NULL,
  digest   TEXT    NOT NULL,
  elapsed  INTEGER NOT NULL
);

CREATE UNIQUE INDEX inbox_requests_by_identity ON inbox_requests (sense, identity);
CREATE INDEX inbox_requests_by_sense ON inbox_requests (sense, first);

-- What a sense took last, and how it is tried again after a failure. `alone`: so many computes get one item each.
-- `tries`: computes with items that failed since one did not.
CREATE TABLE inbox_senses (
  sense  TEXT    PRIMARY KEY,
  origin TEXT,
  up_to  INTEGER NOT NULL DEFAULT 0,
  alone  INTEGER NOT NULL DEFAULT 0,
  tries  INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

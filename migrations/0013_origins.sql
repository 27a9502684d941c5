-- Signals of other hosts. NULL: made here. `origin`: the host that made it, `origin_id`, `origin_at`: its id and its time there;
-- both are NULL for what this host says of another one (`presence`). `late`: 1 where it was too old on arrival, and no reflex
-- looked at it.
ALTER TABLE signals ADD COLUMN origin TEXT;
ALTER TABLE signals ADD COLUMN origin_id INTEGER;
ALTER TABLE signals ADD COLUMN origin_at INTEGER;
ALTER TABLE signals ADD COLUMN late INTEGER;

-- What is known of each other host. `upto`: all of its signals of `epoch` up to this id are here, or are counted in `missing`.
-- `at`: when something of it came last. `since`: when it came to be in `state`. `heard`: the same as `at` on the axis of
-- presence, the milliseconds in which this host could have heard it.
CREATE TABLE origins (
  host    TEXT    PRIMARY KEY,
  epoch   TEXT    NOT NULL,
  upto    INTEGER NOT NULL DEFAULT 0,
  at      INTEGER NOT NULL,
  signals INTEGER NOT NULL DEFAULT 0,
  gaps    INTEGER NOT NULL DEFAULT 0,
  missing INTEGER NOT NULL DEFAULT 0,
  late    INTEGER NOT NULL DEFAULT 0,
  state   TEXT    NOT NULL DEFAULT 'up',
  since   INTEGER NOT NULL,
  heard   INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- How far the epochs of a host went that it has left: what comes again of them is known.
CREATE TABLE origin_epochs (
  host  TEXT    NOT NULL,
  epoch TEXT    NOT NULL,
  upto  INTEGER NOT NULL,
  at    INTEGER NOT NULL,
  PRIMARY KEY (host, epoch)
) WITHOUT ROWID;

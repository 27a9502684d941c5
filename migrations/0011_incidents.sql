-- What reflexes with `incident` keep per key: a projection of the logs `incident.opened`, `incident.again`,
-- `incident.notified`, `incident.acked`, `incident.suppressed` and `incident.resolved`.
CREATE TABLE incidents (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  reflex         TEXT    NOT NULL,
  key            TEXT,
  severity       TEXT    NOT NULL,
  state          TEXT    NOT NULL,
  summary        TEXT    NOT NULL,
  opened_at      INTEGER NOT NULL,
  acked_at       INTEGER,
  acked_by       TEXT,
  resolved_at    INTEGER,
  count          INTEGER NOT NULL DEFAULT 1,
  notified_at    INTEGER,
  signal_id      INTEGER,
  last_signal_id INTEGER,
  trace          TEXT    NOT NULL,
  reason         TEXT,
  first_log_id   INTEGER NOT NULL DEFAULT 0,
  last_log_id    INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX incidents_open ON incidents (id) WHERE state <> 'resolved';

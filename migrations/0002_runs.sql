-- What is known of every run of a workflow: a projection of its logs, which `nerve rebuild` derives anew.
CREATE TABLE workflow_runs (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  workflow     TEXT    NOT NULL,
  reflex       TEXT,
  state        TEXT    NOT NULL,
  signal_id    INTEGER,
  input        TEXT,
  output       TEXT,
  attempt      INTEGER NOT NULL DEFAULT 0,
  queued_at    INTEGER NOT NULL,
  started_at   INTEGER,
  ended_at     INTEGER,
  error        TEXT,
  trace        TEXT    NOT NULL,
  last_log_id  INTEGER NOT NULL,
  retry_of     INTEGER,
  -- Id of its `run.queued`: where reading its history begins.
  first_log_id INTEGER NOT NULL DEFAULT 0,
  -- Unix milliseconds at which a sleeping one goes on.
  until        INTEGER
);

-- One signal makes one run a reflex, never two. The signal first: then new entries come at the end.
CREATE UNIQUE INDEX workflow_runs_once ON workflow_runs (signal_id, reflex) WHERE reflex IS NOT NULL;
-- Those that go with an archive file whose own time is over.
CREATE INDEX workflow_runs_first ON workflow_runs (first_log_id);
-- Few, however many have ended.
CREATE INDEX workflow_runs_active ON workflow_runs (id) WHERE state IN ('queued', 'running', 'sleeping');

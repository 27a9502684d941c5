-- What a run was decided for (`signal:ID`, `signal:ID:KEY`, `due:MS` …), and the value of its reflex's `key`.
ALTER TABLE workflow_runs ADD COLUMN key TEXT;
ALTER TABLE workflow_runs ADD COLUMN decision TEXT;

-- Until now a reflex started runs for signals only, and one run for each.
UPDATE workflow_runs SET decision = 'signal:' || signal_id WHERE reflex IS NOT NULL AND signal_id IS NOT NULL;

-- One decision of a reflex makes one run, never two. A signal alone does not tell: it may be decided on once for each key.
-- The decision first: then new entries come at the end.
DROP INDEX workflow_runs_once;
CREATE UNIQUE INDEX workflow_runs_decision ON workflow_runs (decision, reflex) WHERE reflex IS NOT NULL;

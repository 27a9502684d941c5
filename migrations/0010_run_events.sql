-- How many events the logs of a run have: a log that is lost in their midst is found by it. NULL: an earlier build wrote
-- the row.
ALTER TABLE workflow_runs ADD COLUMN events INTEGER;

-- Which runs live, with their first logs, as of log `up_to`: a start holds the rows against it.
INSERT OR REPLACE INTO meta (key, value)
SELECT 'live_runs', json_object(
  'up_to', (SELECT coalesce(max(id), 0) FROM logs),
  'runs', json((
    SELECT json_group_array(json_array(id, first_log_id))
    FROM workflow_runs
    WHERE state IN ('queued', 'running', 'sleeping')
  ))
);

-- How many events the logs of a run have: a log that is lost in their midst is found by it. NULL: an earlier build wrote
-- the row.
ALTER TABLE workflow_runs ADD COLUMN events INTEGER;

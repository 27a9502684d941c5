-- Where the clock fell back: the first row behind each fall, by more than a second. Between two of them `at` grows with
-- the id, so that a time is found by halving. `source`: the table.
CREATE TABLE clock_steps (
  source TEXT    NOT NULL,
  id     INTEGER NOT NULL,
  PRIMARY KEY (source, id)
) WITHOUT ROWID;

INSERT INTO clock_steps (source, id)
SELECT 'signals', id FROM (SELECT id, at, lag(at) OVER (ORDER BY id) AS before FROM signals) WHERE at < before - 1000;
INSERT INTO clock_steps (source, id)
SELECT 'logs', id FROM (SELECT id, at, lag(at) OVER (ORDER BY id) AS before FROM logs) WHERE at < before - 1000;

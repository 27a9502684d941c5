-- The page reads rows by their time.
CREATE INDEX samples_at ON samples (at);

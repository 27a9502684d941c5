ALTER TABLE job ADD COLUMN key TEXT;
-- JSON: the starts with a key whose end has not come.
ALTER TABLE job ADD COLUMN starts TEXT NOT NULL DEFAULT '[]';

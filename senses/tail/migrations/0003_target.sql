-- The path of the log behind a link: rotated files are beside that.
ALTER TABLE files ADD COLUMN target TEXT;

-- Why a file is not read: it is new, it is a copy, or nerve may not read it.
ALTER TABLE files ADD COLUMN held TEXT;
UPDATE files SET held = 'new', head = '', last = '' WHERE head = 'held';

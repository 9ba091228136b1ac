-- A number that was claimed once is known to the trail, whatever became of its order's row. In the collation "C",
-- `lower` changes A to Z and nothing else, as on SQLite.

ALTER TABLE trail ALTER COLUMN subject TYPE TEXT COLLATE "C";
CREATE INDEX trail_claims ON trail (lower(subject)) WHERE event = 'claimed';

-- A number that was claimed once is known to the trail, whatever became of its order's row. In the collation "C",
-- `lower` changes A to Z and nothing else, as on SQLite.

ALTER TABLE trail ALTER COLUMN subject TYPE TEXT COLLATE "C";
CREATE INDEX trail_claims ON trail (lower(subject)) WHERE event = 'claimed';

-- The day of an order whose time of claim is no time is not known.
CREATE INDEX orders_of_no_day ON orders (realm) WHERE substr(created_at, 1, 10) <> day;

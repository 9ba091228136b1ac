-- Previews leave the trail. Which came first, an order's claim or another preview, the claim itself keeps:
-- the previews of the same goods to the same place that it saw (JSON array of ids). What it did not see was
-- stored later. A number would not tell: it is taken before its preview can be seen.
-- An order that is being sent while this is applied has seen none, and blocks its like until it has ended.

ALTER TABLE orders ADD COLUMN previews_seen TEXT NOT NULL DEFAULT '[]';

-- An older program that is still running records what it has sent, and claims nothing more: it would look for
-- previews in the trail.
CREATE TRIGGER orders_need_previews_seen BEFORE INSERT ON orders WHEN NEW.previews_seen = '[]'
    BEGIN SELECT RAISE(ABORT, 'a newer program has migrated this ledger'); END;

DROP INDEX trail_by_subject;

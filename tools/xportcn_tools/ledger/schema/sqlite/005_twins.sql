-- What a preview saw of the orders before it, by the trail, whose rows have one order for all who share the
-- ledger: `trail_seen` is the last row that it saw, `last_sequence` the row of an order's last change. An order
-- whose change is later than what a preview saw is one that this preview could not show.
-- Previews of an earlier program have seen nothing, as far as this one knows: such an order ends their create.

ALTER TABLE previews ADD COLUMN trail_seen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN last_sequence INTEGER NOT NULL DEFAULT 0;

-- The buyer's number in lower case: PO-1 and po-1 are one. Where an earlier program took both, the later keeps
-- a value that no number has.
ALTER TABLE orders ADD COLUMN reference TEXT NOT NULL DEFAULT '';
CREATE INDEX orders_by_lower ON orders (realm, lower(out_order_id));  -- without it, each order would be held against all
UPDATE orders SET
    last_sequence = (SELECT COALESCE(MAX(sequence), 0) FROM trail),
    reference = CASE
        WHEN EXISTS (
            SELECT 1 FROM orders AS earlier
            WHERE earlier.realm = orders.realm AND lower(earlier.out_order_id) = lower(orders.out_order_id)
            AND (earlier.created_at, earlier.order_key) < (orders.created_at, orders.order_key)
        ) THEN out_order_id || ' ' || order_key
        ELSE lower(out_order_id)
    END;
DROP INDEX orders_by_lower;
CREATE UNIQUE INDEX orders_by_reference ON orders (realm, reference);

-- Places are compared, however their address is cut, and no longer by a digest. The orders' column stays: an
-- older program that is still running reads it when it records what it has sent. It claims nothing more. The
-- previews' goes when migration 015 rebuilds their table; indexes that are made again later are made there alone.
DROP INDEX IF EXISTS previews_by_goods;
DROP INDEX orders_by_goods;
DROP TRIGGER orders_need_previews_seen;
ALTER TABLE orders DROP COLUMN previews_seen;
CREATE TRIGGER orders_need_reference BEFORE INSERT ON orders WHEN NEW.reference = ''
    BEGIN SELECT RAISE(ABORT, 'a newer program has migrated this ledger'); END;

-- An older program that is still running records what it has sent without that row: it is the trail's next.
CREATE TRIGGER orders_changed_by_an_older_program AFTER UPDATE OF state ON orders
    WHEN NEW.state <> OLD.state AND NEW.last_sequence = OLD.last_sequence
    BEGIN
        UPDATE orders SET last_sequence = (SELECT COALESCE(MAX(sequence), 0) + 1 FROM trail)
        WHERE order_key = NEW.order_key;
    END;

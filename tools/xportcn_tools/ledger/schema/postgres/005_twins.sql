-- What a preview saw of the orders before it, by the trail, whose rows have one order for all who share the
-- ledger: `trail_seen` is the last row that it saw, `last_sequence` the row of an order's last change. An order
-- whose change is later than what a preview saw is one that this preview could not show.
-- Previews of an earlier program have seen nothing, as far as this one knows: such an order ends their create.

ALTER TABLE previews ADD COLUMN trail_seen BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN last_sequence BIGINT NOT NULL DEFAULT 0;

-- The buyer's number in lower case: PO-1 and po-1 are one. Where an earlier program took both, the later keeps
-- a value that no number has.
ALTER TABLE orders ADD COLUMN reference TEXT NOT NULL DEFAULT '';
CREATE INDEX orders_by_lower ON orders (realm, lower(out_order_id COLLATE "C"));  -- without it, each order would be held against all
UPDATE orders SET
    last_sequence = (SELECT COALESCE(MAX(sequence), 0) FROM trail),
    reference = CASE
        WHEN EXISTS (
            SELECT 1 FROM orders AS earlier
            WHERE earlier.realm = orders.realm AND lower(earlier.out_order_id COLLATE "C") = lower(orders.out_order_id COLLATE "C")
            AND (earlier.created_at, earlier.order_key) < (orders.created_at, orders.order_key)
        ) THEN out_order_id || ' ' || order_key
        ELSE lower(out_order_id COLLATE "C")
    END;
DROP INDEX orders_by_lower;
CREATE UNIQUE INDEX orders_by_reference ON orders (realm, reference);

-- Places are compared, however their address is cut, and no longer by a digest. The orders' column stays: an
-- older program that is still running reads it when it records what it has sent. It claims nothing more.
DROP INDEX previews_by_goods;
DROP INDEX orders_by_goods;
CREATE INDEX orders_by_goods ON orders (realm, caller, goods_digest);
ALTER TABLE previews DROP COLUMN place_digest;
ALTER TABLE orders DROP COLUMN previews_seen;
ALTER TABLE orders ALTER COLUMN reference DROP DEFAULT;

-- An older program that is still running records what it has sent without that row: it is the trail's next.
CREATE FUNCTION orders_changed_by_an_older_program() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.last_sequence := (SELECT COALESCE(MAX(sequence), 0) + 1 FROM trail);
    RETURN NEW;
END;
$$;
CREATE TRIGGER orders_changed_by_an_older_program BEFORE UPDATE OF state ON orders
    FOR EACH ROW WHEN (NEW.state <> OLD.state AND NEW.last_sequence = OLD.last_sequence)
    EXECUTE FUNCTION orders_changed_by_an_older_program();

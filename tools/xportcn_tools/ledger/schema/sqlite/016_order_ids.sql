-- The upstream's ids, each by itself, so that an order is found by one. Kept by triggers, as `orders.order_ids` says.
-- What is no list of ids there has none here.

CREATE TABLE upstream_ids (
    order_id  TEXT NOT NULL,
    order_key TEXT NOT NULL,
    PRIMARY KEY (order_id, order_key)
) WITHOUT ROWID;
INSERT OR IGNORE INTO upstream_ids
    SELECT value, order_key FROM orders, json_each(CASE WHEN json_valid(order_ids) THEN order_ids ELSE '[]' END)
    WHERE typeof(value) = 'text';

CREATE TRIGGER orders_have_ids AFTER INSERT ON orders WHEN NEW.order_ids <> '[]' BEGIN
    INSERT OR IGNORE INTO upstream_ids SELECT value, NEW.order_key
        FROM json_each(CASE WHEN json_valid(NEW.order_ids) THEN NEW.order_ids ELSE '[]' END)
        WHERE typeof(value) = 'text';
END;
CREATE TRIGGER orders_lose_ids AFTER DELETE ON orders WHEN OLD.order_ids <> '[]' BEGIN
    DELETE FROM upstream_ids WHERE order_key = OLD.order_key AND order_id IN (SELECT value
        FROM json_each(CASE WHEN json_valid(OLD.order_ids) THEN OLD.order_ids ELSE '[]' END));
END;
CREATE TRIGGER orders_change_ids AFTER UPDATE OF order_ids ON orders WHEN NEW.order_ids <> OLD.order_ids BEGIN
    DELETE FROM upstream_ids WHERE order_key = OLD.order_key AND order_id IN (SELECT value
        FROM json_each(CASE WHEN json_valid(OLD.order_ids) THEN OLD.order_ids ELSE '[]' END));
    INSERT OR IGNORE INTO upstream_ids SELECT value, NEW.order_key
        FROM json_each(CASE WHEN json_valid(NEW.order_ids) THEN NEW.order_ids ELSE '[]' END)
        WHERE typeof(value) = 'text';
END;

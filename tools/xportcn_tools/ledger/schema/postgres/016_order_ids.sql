-- The upstream's ids, each by itself, so that an order is found by one. Kept by a trigger, as `orders.order_ids`
-- says: what stands between quotation marks there.

CREATE TABLE upstream_ids (
    order_id  TEXT NOT NULL,
    order_key TEXT NOT NULL,
    PRIMARY KEY (order_id, order_key)
);
INSERT INTO upstream_ids
    SELECT id[1], order_key FROM orders, regexp_matches(order_ids, '"([^"]+)"', 'g') AS id
    ON CONFLICT DO NOTHING;

CREATE FUNCTION orders_have_ids() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM upstream_ids WHERE order_key = OLD.order_key AND order_id IN (
            SELECT id[1] FROM regexp_matches(OLD.order_ids, '"([^"]+)"', 'g') AS id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO upstream_ids
            SELECT id[1], NEW.order_key FROM regexp_matches(NEW.order_ids, '"([^"]+)"', 'g') AS id
            ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END;
$$;
CREATE TRIGGER orders_have_ids AFTER INSERT OR DELETE OR UPDATE OF order_ids ON orders
    FOR EACH ROW EXECUTE FUNCTION orders_have_ids();

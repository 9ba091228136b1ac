-- Orders and their sums by caller, state and UTC day of the claim, for what get_orders and the page add up. Kept by
-- a trigger; nothing is judged by it.

CREATE TABLE order_totals (
    realm       TEXT NOT NULL,
    caller      TEXT NOT NULL,
    state       TEXT NOT NULL,
    day         TEXT COLLATE "C" NOT NULL,
    orders      BIGINT NOT NULL,
    payable_fen BIGINT NOT NULL,
    PRIMARY KEY (realm, caller, state, day)
);
INSERT INTO order_totals
    SELECT realm, caller, state, substr(created_at, 1, 10), COUNT(*), SUM(payable_fen) FROM orders GROUP BY 1, 2, 3, 4;

CREATE FUNCTION orders_are_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE order_totals SET orders = orders - 1, payable_fen = payable_fen - OLD.payable_fen
            WHERE realm = OLD.realm AND caller = OLD.caller AND state = OLD.state
            AND day = substr(OLD.created_at, 1, 10);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO order_totals AS t
            VALUES (NEW.realm, NEW.caller, NEW.state, substr(NEW.created_at, 1, 10), 1, NEW.payable_fen)
            ON CONFLICT (realm, caller, state, day)
            DO UPDATE SET orders = t.orders + 1, payable_fen = t.payable_fen + excluded.payable_fen;
    END IF;
    RETURN NULL;
END;
$$;
CREATE TRIGGER orders_are_counted
    AFTER INSERT OR DELETE OR UPDATE OF realm, caller, state, created_at, payable_fen ON orders
    FOR EACH ROW EXECUTE FUNCTION orders_are_counted();

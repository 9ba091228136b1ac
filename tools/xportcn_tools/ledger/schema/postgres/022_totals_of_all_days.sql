-- The totals of all days together, for what asks for no period: they are a few rows after years, too. Kept by triggers;
-- nothing is judged by them.

CREATE TABLE totals_of_all_days (
    realm       TEXT NOT NULL,
    caller      TEXT NOT NULL,
    state       TEXT NOT NULL,
    orders      BIGINT NOT NULL,
    payable_fen BIGINT NOT NULL,
    PRIMARY KEY (realm, caller, state)
);
INSERT INTO totals_of_all_days
    SELECT realm, caller, state, SUM(orders), SUM(payable_fen) FROM order_totals GROUP BY 1, 2, 3;

-- By statement: were a row of totals written for each of many orders of one transaction, each would read the versions
-- that the others have left.
CREATE FUNCTION orders_are_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO totals_of_all_days AS t
        SELECT realm, caller, state, COUNT(*), SUM(payable_fen) FROM added GROUP BY 1, 2, 3
        ON CONFLICT (realm, caller, state)
        DO UPDATE SET orders = t.orders + excluded.orders, payable_fen = t.payable_fen + excluded.payable_fen;
    RETURN NULL;
END;
$$;
CREATE TRIGGER orders_are_added AFTER INSERT ON orders REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION orders_are_added();

CREATE FUNCTION orders_are_added_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE totals_of_all_days SET orders = orders - 1, payable_fen = payable_fen - OLD.payable_fen
        WHERE realm = OLD.realm AND caller = OLD.caller AND state = OLD.state;
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO totals_of_all_days AS t VALUES (NEW.realm, NEW.caller, NEW.state, 1, NEW.payable_fen)
            ON CONFLICT (realm, caller, state)
            DO UPDATE SET orders = t.orders + 1, payable_fen = t.payable_fen + excluded.payable_fen;
    END IF;
    RETURN NULL;
END;
$$;
CREATE TRIGGER orders_are_added_over AFTER DELETE OR UPDATE OF realm, caller, state, payable_fen ON orders
    FOR EACH ROW EXECUTE FUNCTION orders_are_added_over();

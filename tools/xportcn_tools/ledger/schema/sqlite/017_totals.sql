-- Orders and their sums by caller, state and UTC day of the claim, for what get_orders and the page add up. Kept by
-- triggers; nothing is judged by it.

CREATE TABLE order_totals (
    realm       TEXT NOT NULL,
    caller      TEXT NOT NULL,
    state       TEXT NOT NULL,
    day         TEXT NOT NULL,
    orders      INTEGER NOT NULL,
    payable_fen INTEGER NOT NULL,
    PRIMARY KEY (realm, caller, state, day)
) STRICT, WITHOUT ROWID;
INSERT INTO order_totals
    SELECT realm, caller, state, substr(created_at, 1, 10), COUNT(*), SUM(payable_fen) FROM orders GROUP BY 1, 2, 3, 4;

CREATE TRIGGER orders_are_counted AFTER INSERT ON orders BEGIN
    INSERT INTO order_totals
        VALUES (NEW.realm, NEW.caller, NEW.state, substr(NEW.created_at, 1, 10), 1, NEW.payable_fen)
        ON CONFLICT DO UPDATE SET orders = orders + 1, payable_fen = payable_fen + excluded.payable_fen;
END;
CREATE TRIGGER orders_are_counted_off AFTER DELETE ON orders BEGIN
    UPDATE order_totals SET orders = orders - 1, payable_fen = payable_fen - OLD.payable_fen
        WHERE realm = OLD.realm AND caller = OLD.caller AND state = OLD.state AND day = substr(OLD.created_at, 1, 10);
END;
CREATE TRIGGER orders_are_counted_over AFTER UPDATE OF realm, caller, state, created_at, payable_fen ON orders BEGIN
    UPDATE order_totals SET orders = orders - 1, payable_fen = payable_fen - OLD.payable_fen
        WHERE realm = OLD.realm AND caller = OLD.caller AND state = OLD.state AND day = substr(OLD.created_at, 1, 10);
    INSERT INTO order_totals
        VALUES (NEW.realm, NEW.caller, NEW.state, substr(NEW.created_at, 1, 10), 1, NEW.payable_fen)
        ON CONFLICT DO UPDATE SET orders = orders + 1, payable_fen = payable_fen + excluded.payable_fen;
END;

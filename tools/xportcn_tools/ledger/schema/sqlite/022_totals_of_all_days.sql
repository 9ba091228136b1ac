-- The totals of all days together, for what asks for no period: they are a few rows after years, too. Kept by triggers;
-- nothing is judged by them.

CREATE TABLE totals_of_all_days (
    realm       TEXT NOT NULL,
    caller      TEXT NOT NULL,
    state       TEXT NOT NULL,
    orders      INTEGER NOT NULL,
    payable_fen INTEGER NOT NULL,
    PRIMARY KEY (realm, caller, state)
) STRICT, WITHOUT ROWID;
INSERT INTO totals_of_all_days
    SELECT realm, caller, state, SUM(orders), SUM(payable_fen) FROM order_totals GROUP BY 1, 2, 3;

CREATE TRIGGER orders_are_added AFTER INSERT ON orders BEGIN
    INSERT INTO totals_of_all_days VALUES (NEW.realm, NEW.caller, NEW.state, 1, NEW.payable_fen)
        ON CONFLICT DO UPDATE SET orders = orders + 1, payable_fen = payable_fen + excluded.payable_fen;
END;
CREATE TRIGGER orders_are_taken_off AFTER DELETE ON orders BEGIN
    UPDATE totals_of_all_days SET orders = orders - 1, payable_fen = payable_fen - OLD.payable_fen
        WHERE realm = OLD.realm AND caller = OLD.caller AND state = OLD.state;
END;
CREATE TRIGGER orders_are_added_over AFTER UPDATE OF realm, caller, state, payable_fen ON orders BEGIN
    UPDATE totals_of_all_days SET orders = orders - 1, payable_fen = payable_fen - OLD.payable_fen
        WHERE realm = OLD.realm AND caller = OLD.caller AND state = OLD.state;
    INSERT INTO totals_of_all_days VALUES (NEW.realm, NEW.caller, NEW.state, 1, NEW.payable_fen)
        ON CONFLICT DO UPDATE SET orders = orders + 1, payable_fen = payable_fen + excluded.payable_fen;
END;

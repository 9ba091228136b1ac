-- An index for each statement that an ordinary call runs, so that it reads as many rows at the millionth order as
-- at the first. SQLite takes an index of some rows only where a statement says so in the same words.

-- The day's sum, the newest, and the days at a period's ends, all without the table.
DROP INDEX IF EXISTS orders_by_time;
CREATE INDEX orders_by_time ON orders (realm, created_at, state, caller, payable_fen);
CREATE INDEX orders_of_caller ON orders (realm, caller, state, created_at);

-- PostgreSQL takes `<>` for nearly all rows, and would read the whole table; of an equality it expects few.
DROP INDEX orders_of_no_day;
CREATE INDEX orders_of_no_day ON orders (realm) WHERE CASE WHEN substr(created_at, 1, 10) = day THEN 0 ELSE 1 END = 1;

-- Being sent or unknown: few, however many orders there are.
DROP INDEX orders_open;
CREATE INDEX orders_open ON orders (realm, state, created_at) WHERE state = 'sending' OR state = 'unknown';
CREATE INDEX orders_open_by_goods ON orders (realm, caller, goods_digest, state)
    WHERE state = 'sending' OR state = 'unknown';

-- The same goods again: those that changed in the last day, and those that changed since a preview.
DROP INDEX IF EXISTS orders_by_goods;
CREATE INDEX orders_by_goods ON orders (realm, caller, goods_digest, updated_at);
CREATE INDEX orders_by_goods_and_change ON orders (realm, caller, goods_digest, last_sequence);

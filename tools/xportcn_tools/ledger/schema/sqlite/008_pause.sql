-- The owner's pause: one row while it holds, for both realms. A claim reads it in its own transaction; an older
-- program that is still running, which does not, is refused by the trigger.

CREATE TABLE pause (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    since  TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;

CREATE TRIGGER orders_need_no_pause BEFORE INSERT ON orders WHEN EXISTS (SELECT 1 FROM pause)
    BEGIN SELECT RAISE(ABORT, 'the owner has paused'); END;

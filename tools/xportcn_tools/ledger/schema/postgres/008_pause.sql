-- The owner's pause: one row while it holds, for both realms. A claim reads it in its own transaction; an older
-- program that is still running, which does not, is refused by the trigger.

CREATE TABLE pause (
    one    BIGINT PRIMARY KEY CHECK (one = 1),
    since  TEXT NOT NULL,
    reason TEXT NOT NULL
);

CREATE FUNCTION orders_need_no_pause() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM pause) THEN
        RAISE EXCEPTION 'the owner has paused';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER orders_need_no_pause BEFORE INSERT ON orders
    FOR EACH ROW EXECUTE FUNCTION orders_need_no_pause();

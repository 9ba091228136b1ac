-- An order is found again by its offers and quantities: `goods_digest` of 32 digits. Until now it had 64, with the
-- specs, and missed the same goods where one of two previews knew no spec. Earlier orders keep theirs, which is
-- looked for as well. An older program would not find an order by the new one: it claims nothing more.

CREATE FUNCTION orders_are_found_by_offers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a newer program has migrated this ledger' USING ERRCODE = 'integrity_constraint_violation';
END;
$$;
CREATE TRIGGER orders_are_found_by_offers BEFORE INSERT ON orders
    FOR EACH ROW WHEN (length(NEW.goods_digest) = 64)
    EXECUTE FUNCTION orders_are_found_by_offers();

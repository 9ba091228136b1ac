-- `ordered`: whether an order was made of the preview. Those of which none was are few: they wait, or have expired
-- within a week. Among them an approval code is unique; of those that were ordered, it may come again.

ALTER TABLE previews DROP CONSTRAINT previews_approval_code_key;
ALTER TABLE previews ADD COLUMN ordered BIGINT NOT NULL DEFAULT 0;
UPDATE previews SET ordered = 1 WHERE EXISTS (SELECT 1 FROM orders WHERE orders.preview_id = previews.preview_id);

CREATE INDEX previews_by_code ON previews (approval_code);
CREATE UNIQUE INDEX previews_open_by_code ON previews (approval_code) WHERE ordered = 0 AND ship_to <> '';
CREATE INDEX previews_open ON previews (realm, expires_at) WHERE ordered = 0 AND ship_to <> '';
DROP INDEX previews_to_erase;

CREATE FUNCTION orders_take_their_preview() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE previews SET ordered = 1 WHERE preview_id = NEW.preview_id;
    RETURN NULL;
END;
$$;
CREATE TRIGGER orders_take_their_preview AFTER INSERT ON orders
    FOR EACH ROW EXECUTE FUNCTION orders_take_their_preview();

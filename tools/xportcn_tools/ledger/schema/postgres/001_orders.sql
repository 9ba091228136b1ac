-- Previews as they were shown, orders (at most one a preview, one a reference), and the trail.
-- Times are UTC, ISO 8601 with microseconds and Z, so that text order is time order. Money is fen.

CREATE TABLE migrations (
    number     BIGINT PRIMARY KEY,
    name       TEXT NOT NULL,
    applied_at TEXT NOT NULL
);

CREATE TABLE previews (
    preview_id   TEXT PRIMARY KEY,
    token_digest TEXT NOT NULL UNIQUE,          -- SHA-256 of the token; the token itself is nowhere
    approval_code TEXT NOT NULL UNIQUE,
    realm        TEXT NOT NULL CHECK (realm IN ('sandbox', 'real')),
    caller       TEXT NOT NULL,
    out_order_id TEXT NOT NULL,
    created_at   TEXT COLLATE "C" NOT NULL,
    expires_at   TEXT COLLATE "C" NOT NULL,
    payable_fen  BIGINT NOT NULL CHECK (payable_fen >= 0),
    ship_to      TEXT NOT NULL,
    goods_digest TEXT NOT NULL,
    place_digest TEXT NOT NULL,
    request      TEXT NOT NULL,                 -- JSON: what was asked for
    pinned       TEXT NOT NULL,                 -- JSON: flow, trade type, promotion
    terms        TEXT NOT NULL,                 -- JSON: the deal, by name, in words
    shown        TEXT NOT NULL                  -- JSON: the preview as it was answered, without its token
);

CREATE INDEX previews_by_reference ON previews (realm, out_order_id);

CREATE TABLE orders (
    order_key    TEXT PRIMARY KEY,
    preview_id   TEXT NOT NULL UNIQUE REFERENCES previews (preview_id),
    realm        TEXT NOT NULL,
    caller       TEXT NOT NULL,
    out_order_id TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('sending', 'placed', 'rejected', 'unknown', 'absent')),
    day          TEXT NOT NULL,                 -- UTC day of the claim, YYYY-MM-DD
    payable_fen  BIGINT NOT NULL,
    ship_to      TEXT NOT NULL,
    goods_digest TEXT NOT NULL,
    place_digest TEXT NOT NULL,
    approval_method   TEXT NOT NULL,
    approval_verified BIGINT NOT NULL,
    order_ids    TEXT NOT NULL DEFAULT '[]',    -- JSON array of strings
    request_id   TEXT,
    request_sent TEXT NOT NULL DEFAULT 'unknown' CHECK (request_sent IN ('no', 'yes', 'unknown')),
    problem_code TEXT,
    problem_text TEXT,
    created_at   TEXT COLLATE "C" NOT NULL,
    updated_at   TEXT COLLATE "C" NOT NULL,
    lease_until  TEXT COLLATE "C" NOT NULL,                 -- a sender that is alive has recorded its outcome by then
    UNIQUE (realm, out_order_id)
);

CREATE INDEX orders_by_day ON orders (realm, caller, day);
CREATE INDEX orders_by_goods ON orders (realm, caller, goods_digest, place_digest);
CREATE INDEX orders_open ON orders (state) WHERE state IN ('sending', 'unknown');

CREATE TABLE trail (
    sequence BIGINT PRIMARY KEY,
    at       TEXT NOT NULL,
    event    TEXT NOT NULL,
    subject  TEXT NOT NULL,
    body     TEXT NOT NULL,                     -- canonical JSON
    previous TEXT NOT NULL,
    hash     TEXT NOT NULL UNIQUE
);

CREATE FUNCTION trail_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append only';
END;
$$;

CREATE FUNCTION trail_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM trail WHERE sequence >= NEW.sequence) THEN
        RAISE EXCEPTION 'append only';
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER trail_goes_on BEFORE INSERT ON trail
    FOR EACH ROW EXECUTE FUNCTION trail_goes_on();
CREATE TRIGGER trail_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trail
    FOR EACH STATEMENT EXECUTE FUNCTION trail_is_append_only();

-- `ordered`: whether an order was made of the preview. Those of which none was are few: they wait, or have expired
-- within a week. Among them an approval code is unique; of those that were ordered, it may come again.
-- The long columns stand last, so that what is before them is read without them.

CREATE TABLE previews_anew (
    preview_id   TEXT PRIMARY KEY,
    token_digest TEXT NOT NULL UNIQUE,          -- SHA-256 of the token; the token itself is nowhere
    approval_code TEXT NOT NULL,
    realm        TEXT NOT NULL CHECK (realm IN ('sandbox', 'real')),
    caller       TEXT NOT NULL,
    out_order_id TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    expires_at   TEXT NOT NULL,
    declined_at  TEXT,
    payable_fen  INTEGER NOT NULL CHECK (payable_fen >= 0),
    ship_to      TEXT NOT NULL,
    goods_digest TEXT NOT NULL,
    trail_seen   INTEGER NOT NULL DEFAULT 0,
    salt         TEXT NOT NULL DEFAULT '',
    issued_in    TEXT NOT NULL DEFAULT '',
    ordered      INTEGER NOT NULL DEFAULT 0,
    request      TEXT NOT NULL,                 -- JSON: what was asked for
    pinned       TEXT NOT NULL,                 -- JSON: flow, trade type, promotion
    terms        TEXT NOT NULL,                 -- JSON: the deal, by name, in words
    shown        TEXT NOT NULL                  -- JSON: the preview as it was answered, without its token
) STRICT;
CREATE UNIQUE INDEX previews_open_by_code ON previews_anew (approval_code) WHERE ordered = 0 AND ship_to <> '';
CREATE INDEX previews_open ON previews_anew (realm, expires_at) WHERE ordered = 0 AND ship_to <> '';
INSERT INTO previews_anew
    SELECT preview_id, token_digest, approval_code, realm, caller, out_order_id, created_at, expires_at, declined_at,
        payable_fen, ship_to, goods_digest, trail_seen,
        CASE WHEN salt = '' AND ship_to <> '' THEN lower(hex(randomblob(16))) ELSE salt END, issued_in,
        EXISTS (SELECT 1 FROM orders WHERE orders.preview_id = previews.preview_id), request, pinned, terms, shown
    FROM previews;
DROP TABLE previews;
ALTER TABLE previews_anew RENAME TO previews;

CREATE INDEX previews_by_reference ON previews (realm, out_order_id);
CREATE INDEX previews_by_code ON previews (approval_code);

-- The state folders under which previews were issued, for a ledger without a witness.
CREATE TABLE issuers (folder TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO issuers SELECT DISTINCT issued_in FROM previews;
CREATE TRIGGER previews_have_an_issuer AFTER INSERT ON previews
    BEGIN INSERT OR IGNORE INTO issuers VALUES (NEW.issued_in); END;

CREATE TRIGGER orders_take_their_preview AFTER INSERT ON orders
    BEGIN UPDATE previews SET ordered = 1 WHERE preview_id = NEW.preview_id; END;

-- A person can say yes on the page too, and a no is kept: it ends the creates that wait for an answer.

ALTER TABLE approvals DROP CONSTRAINT approvals_method_check;
ALTER TABLE approvals ADD CHECK (method IN ('operator', 'page'));

ALTER TABLE previews ADD COLUMN declined_at TEXT COLLATE "C";

-- Sessions of the page, and the one-time codes that begin one. `digest`: SHA-256 of what the browser holds, which
-- is nowhere here. `caller`: whose previews and orders it shows; NULL: the owner's, who sees everybody's.
-- `seen_at`: the last request, or the moment at which a browser was opened; empty before either.

CREATE TABLE visits (
    digest     TEXT PRIMARY KEY,
    realm      TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('code', 'session')),
    caller     TEXT,
    expires_at TEXT COLLATE "C" NOT NULL,
    seen_at    TEXT COLLATE "C" NOT NULL
);

-- A person can say yes on the page too, and a no is kept: it ends the creates that wait for an answer.

CREATE TABLE approvals_by_method (
    preview_id  TEXT PRIMARY KEY REFERENCES previews (preview_id),
    method      TEXT NOT NULL CHECK (method IN ('operator', 'page')),
    approved_at TEXT NOT NULL
) STRICT;
INSERT INTO approvals_by_method SELECT preview_id, method, approved_at FROM approvals;
DROP TABLE approvals;
ALTER TABLE approvals_by_method RENAME TO approvals;

ALTER TABLE previews ADD COLUMN declined_at TEXT;

-- Sessions of the page, and the one-time codes that begin one. `digest`: SHA-256 of what the browser holds, which
-- is nowhere here. `caller`: whose previews and orders it shows; NULL: the owner's, who sees everybody's.
-- `seen_at`: the last request, or the moment at which a browser was opened; empty before either.

CREATE TABLE visits (
    digest     TEXT PRIMARY KEY,
    realm      TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('code', 'session')),
    caller     TEXT,
    expires_at TEXT NOT NULL,
    seen_at    TEXT NOT NULL
) STRICT;

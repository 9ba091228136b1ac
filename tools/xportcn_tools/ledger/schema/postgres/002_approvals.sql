-- A person's recorded yes to a preview, given outside the conversation.

CREATE TABLE approvals (
    preview_id  TEXT PRIMARY KEY REFERENCES previews (preview_id),
    method      TEXT NOT NULL CHECK (method = 'operator'),
    approved_at TEXT NOT NULL
);

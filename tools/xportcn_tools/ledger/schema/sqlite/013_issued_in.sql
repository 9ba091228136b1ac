-- The state folder (`witness.folder_id`) of the process that issued a preview's token. Another folder's witness may
-- not know what was ordered with it; so the token orders under this folder alone. Where it is '', an
-- older program issued it, and its tokens stay good.

ALTER TABLE previews ADD COLUMN issued_in TEXT NOT NULL DEFAULT '';

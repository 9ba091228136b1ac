-- What a copy of this file and the file itself share: the name of their witness, which stands outside (`witness.py`).

CREATE TABLE identity (ledger_id TEXT NOT NULL) STRICT;
INSERT INTO identity (ledger_id) VALUES (lower(hex(randomblob(16))));

-- A number that was claimed once is known to the trail, whatever became of its order's row.
-- Migration 018 makes the index, with the table.

-- The day of an order whose time of claim is no time is not known.
CREATE INDEX orders_of_no_day ON orders (realm) WHERE substr(created_at, 1, 10) <> day;

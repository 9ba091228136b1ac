-- What the upstream last said of an order: read, never believed, and no part of the trail.

CREATE TABLE readings (
    order_key TEXT PRIMARY KEY,
    read_at TEXT NOT NULL,
    orders TEXT NOT NULL
);

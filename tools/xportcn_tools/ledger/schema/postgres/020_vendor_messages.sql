-- The newest messages of the vendor about an order: never believed, and no part of the trail.

CREATE TABLE vendor_messages (
    order_key TEXT PRIMARY KEY,
    messages TEXT NOT NULL
);

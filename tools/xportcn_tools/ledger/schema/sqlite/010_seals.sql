-- The trail seals each order's rows with a salt that the preview's row keeps (`seals.py`).

ALTER TABLE previews ADD COLUMN salt TEXT NOT NULL DEFAULT '';
-- Migration 015 gives each row its own, when it rebuilds the table.

-- Migration 005 took the trail's last row for each order's; from now on it is the order's own, so that the table
-- can be compared with the trail.
CREATE INDEX trail_by_subject ON trail (subject);
UPDATE orders SET last_sequence = COALESCE(
    (SELECT MAX(sequence) FROM trail WHERE subject = orders.out_order_id AND event NOT IN ('previewed', 'approved',
        'declined', 'contradicted')),
    last_sequence);
DROP INDEX trail_by_subject;

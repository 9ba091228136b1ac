-- The trail without an index over its hashes, which nothing asks for: a row proves itself and its predecessor.

DROP TRIGGER orders_changed_by_an_older_program;  -- it reads the trail; it is made again below
CREATE TABLE trail_anew (
    sequence INTEGER PRIMARY KEY,
    at       TEXT NOT NULL,
    event    TEXT NOT NULL,
    subject  TEXT NOT NULL,
    body     TEXT NOT NULL,                     -- canonical JSON
    previous TEXT NOT NULL,
    hash     TEXT NOT NULL
) STRICT;
INSERT INTO trail_anew SELECT * FROM trail;
DROP TABLE trail;
ALTER TABLE trail_anew RENAME TO trail;

CREATE INDEX trail_claims ON trail (lower(subject)) WHERE event = 'claimed';
CREATE INDEX trail_of_the_file ON trail (event, sequence) WHERE event = 'restored' OR event = 'backed_up';

CREATE TRIGGER trail_is_append_only_u BEFORE UPDATE ON trail BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER trail_is_append_only_i BEFORE INSERT ON trail
    WHEN EXISTS (SELECT 1 FROM trail WHERE sequence >= NEW.sequence)
    BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER trail_is_append_only_d BEFORE DELETE ON trail BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER orders_changed_by_an_older_program AFTER UPDATE OF state ON orders
    WHEN NEW.state <> OLD.state AND NEW.last_sequence = OLD.last_sequence
    BEGIN
        UPDATE orders SET last_sequence = (SELECT COALESCE(MAX(sequence), 0) + 1 FROM trail)
        WHERE order_key = NEW.order_key;
    END;

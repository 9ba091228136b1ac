-- The trail without an index over its hashes, which nothing asks for: a row proves itself and its predecessor.

ALTER TABLE trail DROP CONSTRAINT trail_hash_key;

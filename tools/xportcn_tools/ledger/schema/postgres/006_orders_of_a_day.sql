-- A claim sums up the day of all callers, and its own caller's among them.

DROP INDEX orders_by_day;
CREATE INDEX orders_by_day ON orders (realm, day, caller);

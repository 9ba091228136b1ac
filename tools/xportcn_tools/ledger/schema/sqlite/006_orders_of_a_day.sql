-- A claim sums up the day of all callers, and its own caller's among them. When a day begins depends on the
-- owner's time zone, so the time of the claim says which day an order belongs to, and not the stored UTC day.

DROP INDEX orders_by_day;
-- Migration 014 makes the index.

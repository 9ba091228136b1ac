-- Which came first, an order's claim or another preview, is read off the trail.

CREATE INDEX trail_by_subject ON trail (subject);

-- What still holds personal data, by age. A row from which it was erased ships to nobody.

CREATE INDEX orders_to_erase ON orders (realm, created_at) WHERE ship_to <> '';

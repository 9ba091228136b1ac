"""Orders of what may be the same goods to the same place or person, as earlier orders of one caller."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter

from xportcn_tools.ledger import rows
from xportcn_tools.ledger.ledger import OrderRecord, Remembered, StoredPreview
from xportcn_tools.ledger.place import Destination, Destinations
from xportcn_tools.ledger.queries import Queries, Session, marks
from xportcn_tools.order import OrderRequest

RECENT = timedelta(hours=24)
"""How long a preview shows that the same was ordered before."""


@dataclass(frozen=True)
class Twins:
    queries: Queries
    destinations: Destinations = field(default_factory=Destinations)

    def alike(
        self, sql: Session, caller: str, wanted: OrderRequest, placed: tuple[str, object], since: str
    ) -> list[OrderRecord]:
        """The caller's orders of what may be the same goods to the same place or mobile, newest first: those
        that are open, and those placed under a condition of ours with one `?` for its value. One whose
        request cannot be read may be the same, and one that was changed `since` and erased may go there.
        """
        digests = rows.goods_digests(wanted)
        whose = (self.queries.realm, caller, *digests)
        of_goods = (
            "SELECT preview_id,"  # noqa: S608 - marks
            " CASE WHEN ship_to <> '' THEN 0 WHEN updated_at >= ? THEN 1 ELSE 2 END AS erased FROM orders"
            f" WHERE realm = ? AND caller = ? AND goods_digest IN ({marks(digests)})"
        )
        condition, value = placed
        # Each by an index of its own; for the placed ones, SQLite would take that of states.
        which = (f"state || '' = 'placed' AND {condition}", "state = 'sending'", "state = 'unknown'")
        statement = " UNION ALL ".join(f"{of_goods} AND {each}" for each in which)
        found = sql.execute(statement, (since, *whose, value, since, *whose, since, *whose))
        self.destinations.forget(row["preview_id"] for row in found if row["erased"])
        kept = [row["preview_id"] for row in found if not row["erased"]]
        to = self.destinations.of(kept, lambda missing: self._requests(sql, missing))
        here, alike = Destination.of(wanted.address), list[OrderRecord]()
        for row in found:
            place = to.get(row["preview_id"])
            if place and not place.is_same(here):
                continue
            (request,) = self._requests(sql, [row["preview_id"]]).values() or (None,)
            if request is None or (row["erased"] < 2 and wanted.may_be_same_goods(request)):
                order = self.queries.order_where(
                    sql, "preview_id = ?", (row["preview_id"],), rows.order_whatever
                )
                alike += [order] if order else []
        # Not by SQL: SQLite would walk through all orders of the caller in this order, rather than sort.
        alike.sort(key=attrgetter("order_key"))
        return sorted(alike, key=attrgetter("created_at"), reverse=True)

    def _requests(self, sql: Session, preview_ids: Sequence[str]) -> dict[str, OrderRequest]:
        """What these previews asked for, but for those that cannot be read."""
        statement = f"SELECT preview_id, request FROM previews WHERE preview_id IN ({marks(preview_ids)})"  # noqa: S608
        read = {row["preview_id"]: rows.request_of(row) for row in sql.execute(statement, preview_ids)}
        return {preview_id: request for preview_id, request in read.items() if request}

    def remembered(self, sql: Session, caller: str, request: OrderRequest, now: datetime) -> Remembered:
        since = rows.time_text(now - RECENT)
        alike = self.alike(sql, caller, request, ("orders.updated_at >= ?", since), since)
        return Remembered(now, alike, self.queries.trail_end(sql), self.queries.usage(sql, caller, now))

    def twin(self, sql: Session, preview: StoredPreview) -> OrderRecord | None:
        """See `Standing.twin`. The trail says what came first, since replicas' clocks may disagree."""
        since = rows.time_text(preview.created_at - RECENT)
        placed = ("orders.last_sequence > ?", preview.trail_seen)
        found = self.alike(sql, preview.caller, preview.request, placed, since)
        others = [order for order in found if order.preview_id != preview.preview_id]
        return min(others, key=lambda order: order.state == "placed", default=None)

"""Single statements of the ledger, as every driver runs them; transactions of them stand in `sql.py`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from xportcn_tools.ledger import rows
from xportcn_tools.ledger.ledger import (
    COUNTING_STATES,
    DayUsage,
    OrderQuery,
    OrderRecord,
    Realm,
    Receipt,
    StoredPreview,
)

Row = Mapping[str, Any]

_ALIKE = "realm = ? AND caller = ? AND goods_digest = ? AND place_digest = ?"
_STILL_UNDER_WAY = timedelta(hours=1)
"""How long after its preview's end a call that came in time has surely ended."""


def _marks(values: Collection[Any]) -> str:
    return ", ".join("?" * len(values))


class Session(Protocol):
    """One connection: runs a statement and gives its rows by column name."""

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[Row]: ...


@dataclass(frozen=True)
class Queries:
    """The statements, of one realm's previews and orders. `id_is_listed`: see `SqlLedger.ID_IS_LISTED`."""

    realm: Realm
    id_is_listed: str

    def insert(self, sql: Session, table: str, row: Row) -> None:
        """One row; column names are those of our own records."""
        statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({_marks(row)})"  # noqa: S608
        sql.execute(statement, tuple(row.values()))

    def preview(self, sql: Session, condition: str, values: Sequence[Any]) -> StoredPreview | None:
        """The newest under a condition of ours with `?` for its values."""
        statement = f"SELECT * FROM previews WHERE realm = ? AND {condition} ORDER BY created_at DESC LIMIT 1"  # noqa: S608
        found = sql.execute(statement, (self.realm, *values))
        return rows.preview_of(found[0]) if found else None

    def orders(self, sql: Session, query: OrderQuery) -> list[OrderRecord]:
        """Newest first."""
        clauses, values = ["realm = ?"], list[str]((self.realm,))
        if query.caller is not None:
            clauses.append("caller = ?")
            values.append(query.caller)
        if query.reference is not None:
            by_digest = "preview_id IN (SELECT preview_id FROM previews WHERE token_digest = ?)"
            clauses.append(f"(out_order_id = ? OR {self.id_is_listed} OR {by_digest})")
            values += [query.reference, query.reference, query.token_digest]
        if query.states:
            clauses.append(f"state IN ({_marks(query.states)})")
            values += query.states
        limit = "" if query.limit is None else f" LIMIT {query.limit:d}"
        statement = f"SELECT * FROM orders WHERE {' AND '.join(clauses)} ORDER BY created_at DESC, order_key"  # noqa: S608
        return [rows.order_of(row) for row in sql.execute(f"{statement}{limit}", values)]

    def receipts(self, sql: Session, query: OrderQuery) -> list[Receipt]:
        """Orders with their previews, newest first."""
        orders = self.orders(sql, query)
        if not orders:
            return []
        wanted = [order.preview_id for order in orders]
        found = sql.execute(
            f"SELECT * FROM previews WHERE realm = ? AND preview_id IN ({_marks(wanted)})",  # noqa: S608
            (self.realm, *wanted),
        )
        previews = {preview.preview_id: preview for preview in map(rows.preview_of, found)}
        return [Receipt(order, previews.get(order.preview_id)) for order in orders]

    def waiting(self, sql: Session, now: datetime) -> list[StoredPreview]:
        found = sql.execute(
            "SELECT * FROM previews WHERE realm = ? AND expires_at > ?"
            " AND preview_id NOT IN (SELECT preview_id FROM orders)"
            " AND preview_id NOT IN (SELECT preview_id FROM approvals)"
            " ORDER BY created_at DESC",
            (self.realm, rows.time_text(now)),
        )
        return [rows.preview_of(row) for row in found]

    def is_approved(self, sql: Session, preview_id: str) -> bool:
        return bool(sql.execute("SELECT 1 AS one FROM approvals WHERE preview_id = ?", (preview_id,)))

    def order_where(self, sql: Session, condition: str, values: Sequence[Any]) -> OrderRecord | None:
        """The first order under a condition of ours with `?` for its values."""
        found = sql.execute(f"SELECT * FROM orders WHERE {condition} LIMIT 1", values)  # noqa: S608 - ours
        return rows.order_of(found[0]) if found else None

    def alike(self, sql: Session, caller: str, goods_digest: str, place_digest: str) -> list[OrderRecord]:
        """The caller's orders of the same goods to the same place, newest first."""
        found = sql.execute(
            f"SELECT * FROM orders WHERE {_ALIKE} ORDER BY created_at DESC, order_key",  # noqa: S608
            (self.realm, caller, goods_digest, place_digest),
        )
        return [rows.order_of(row) for row in found]

    def earlier_open(self, sql: Session, preview: StoredPreview) -> OrderRecord | None:
        """See `Standing.twin`. What a claim saw says what came first, since replicas' clocks may disagree."""
        found = sql.execute(
            f"SELECT * FROM orders WHERE {_ALIKE} AND preview_id <> ? AND state IN ('unknown', 'sending')",  # noqa: S608
            (*self._key(preview), preview.preview_id),
        )
        blocking = (
            row
            for row in found
            if row["state"] == "unknown" or preview.preview_id not in rows.previews_seen(row)
        )
        return next(map(rows.order_of, blocking), None)

    def previews_seen(self, sql: Session, preview: StoredPreview, now: datetime) -> list[str]:
        """What a claim of this preview sees: itself, and all others alike of which a call may still come."""
        found = sql.execute(
            f"SELECT preview_id FROM previews WHERE {_ALIKE} AND preview_id <> ? AND expires_at > ?",  # noqa: S608
            (*self._key(preview), preview.preview_id, rows.time_text(now - _STILL_UNDER_WAY)),
        )
        return [preview.preview_id, *(row["preview_id"] for row in found)]

    def abandoned(self, sql: Session, now: datetime) -> list[OrderRecord]:
        """Orders that are being sent beyond their lease."""
        found = sql.execute(
            "SELECT * FROM orders WHERE state = 'sending' AND realm = ? AND lease_until < ?",
            (self.realm, rows.time_text(now)),
        )
        return [rows.order_of(row) for row in found]

    def reference_used(self, sql: Session, out_order_id: str) -> bool:
        statement = "SELECT 1 AS one FROM orders WHERE realm = ? AND out_order_id = ?"
        return bool(sql.execute(statement, (self.realm, out_order_id)))

    def usage(self, sql: Session, caller: str, day: str) -> DayUsage:
        statement = (
            "SELECT COALESCE(SUM(CASE WHEN caller = ? THEN payable_fen END), 0) AS fen,"  # noqa: S608 - marks
            " COUNT(CASE WHEN caller = ? THEN 1 END) AS orders, COALESCE(SUM(payable_fen), 0) AS total"
            f" FROM orders WHERE realm = ? AND day = ? AND state IN ({_marks(COUNTING_STATES)})"
        )
        (used,) = sql.execute(statement, (caller, caller, self.realm, day, *COUNTING_STATES))
        return DayUsage(int(used["fen"]), int(used["orders"]), int(used["total"]), day)

    def _key(self, preview: StoredPreview) -> tuple[str, ...]:
        return self.realm, preview.caller, preview.goods_digest, preview.place_digest

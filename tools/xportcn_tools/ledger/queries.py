"""Single statements of the ledger, as every driver runs them; transactions of them stand in `sql.py`."""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Protocol, TypeVar

from xportcn_tools.clock import day_around
from xportcn_tools.ledger import rows
from xportcn_tools.ledger.approvals import ApprovedBy
from xportcn_tools.ledger.ledger import (
    COUNTING_STATES,
    DayUsage,
    LedgerUnavailableError,
    OrderQuery,
    OrderRecord,
    Realm,
    Receipt,
    StateTotal,
    StoredPreview,
)
from xportcn_tools.ledger.order_query_sql import QueryStatements
from xportcn_tools.ledger.seals import CHANGED_BEFORE, PREVIEW_COLUMNS, seal_of, seals_of
from xportcn_tools.ledger.trail import GENESIS, TrailRow, seal
from xportcn_tools.ledger.upkeep import Pause

logger = logging.getLogger(__name__)

Row = Mapping[str, Any]
T = TypeVar("T")

PAGE_SEEN = timedelta(seconds=75)
"""A page is open if it asked for something in this time. A tab in the background asks once a minute."""

MOST_LEASE = timedelta(hours=2)
"""More than any lease (`Policy.lease`), even where a clock is set back by an hour while its sender lives: a
lease that ends later was given by a clock that was ahead."""


OPEN_PREVIEW = "ordered = 0 AND ship_to <> ''"
NO_DAY = "CASE WHEN substr(created_at, 1, 10) = day THEN 0 ELSE 1 END = 1"
"""Conditions that SQLite finds an index by, if they stand as in its schema."""


def _readable(read: Callable[[Row], T], found: Iterable[Row]) -> list[T]:
    """The rows that can be read; the log names the others."""
    good: list[T] = []
    for row in found:
        try:
            good.append(read(row))
        except rows.UnreadableRowError as error:
            logger.error("%s; doctor names all such rows", error)  # noqa: TRY400 - its text says it all
    return good


def marks(values: Collection[Any]) -> str:
    """A `?` for each."""
    return ", ".join("?" * len(values))


class Session(Protocol):
    """One connection: runs a statement and gives its rows by column name."""

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[Row]: ...


@dataclass(frozen=True)
class Queries:
    """The statements, of one realm's previews and orders. `zone`: whose day the caps go by.

    A row that cannot be read costs a list this row, which the log names. Asked for alone, it is an
    `UnreadableRowError`; to the rules it counts as far as it can be read (`rows.order_whatever`).
    """

    realm: Realm
    zone: tzinfo

    def insert(self, sql: Session, table: str, row: Row, more: str = "") -> list[Row]:
        """One row; column names are those of our own records. `more`: of ours, behind the values."""
        statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks(row)}){more}"  # noqa: S608
        return sql.execute(statement, tuple(row.values()))

    def update(self, sql: Session, table: str, changed: Row, condition: str, key: str) -> None:
        """Columns of ours of the rows under a condition of ours with one `?`."""
        names = ", ".join(f"{name} = ?" for name in changed)
        sql.execute(f"UPDATE {table} SET {names} WHERE {condition}", (*changed.values(), key))  # noqa: S608

    def seals(self, sql: Session, order: Row, stored: Row | None = None) -> dict[str, Any]:
        """Of an order's row as it is to be, and of its preview's as it is stored. `stored`: the order's row
        before the change. Where it or the preview no longer fits the seals in the trail, the result says so:
        new seals alone would hide the change.
        """
        found = sql.execute("SELECT * FROM previews WHERE preview_id = ?", (order["preview_id"],))
        if not found:
            raise LedgerUnavailableError("the order's preview is not in the ledger")
        return seals_of(order, found[0]) | (self._if_changed(sql, stored, found[0]) if stored else {})

    def _if_changed(self, sql: Session, order: Row, preview: Row) -> dict[str, Any]:
        last = sql.execute("SELECT body FROM trail WHERE sequence = ?", (order["last_sequence"],))
        try:
            sealed: dict[str, Any] = dict(json.loads(last[0]["body"]) if last else {})
        except (ValueError, TypeError, RecursionError):  # damaged, which `audit verify` finds by the chain
            sealed = {}
        stored = seals_of(order, preview)
        changed = CHANGED_BEFORE in sealed or any(sealed.get(name, it) != it for name, it in stored.items())
        return {CHANGED_BEFORE: True} if changed else {}

    def preview_trail(self, sql: Session, preview: StoredPreview) -> dict[str, Any]:
        """With the seal of its row as it is stored: an earlier program may have written it in other words."""
        (stored,) = sql.execute("SELECT * FROM previews WHERE preview_id = ?", (preview.preview_id,))
        return rows.preview_trail(preview) | {"preview": seal_of(PREVIEW_COLUMNS, stored, stored["salt"])}

    def preview(self, sql: Session, condition: str, values: Sequence[Any]) -> StoredPreview | None:
        """The newest under a condition of ours with `?` for its values."""
        statement = f"SELECT * FROM previews WHERE realm = ? AND {condition} ORDER BY created_at DESC LIMIT 1"  # noqa: S608
        found = sql.execute(statement, (self.realm, *values))
        return rows.preview_of(found[0]) if found else None

    def totals(self, sql: Session, query: OrderQuery) -> list[StateTotal]:
        found = sql.execute(*QueryStatements(self.realm).totals(query))
        return [StateTotal(row["state"], int(row["orders"]), int(row["fen"])) for row in found]

    def orders(self, sql: Session, query: OrderQuery) -> list[OrderRecord]:
        """Newest first."""
        found = sql.execute(*QueryStatements(self.realm).newest(query))
        if query.reference is not None:
            return [rows.order_of(row) for row in found]
        return _readable(rows.order_of, found)

    def receipts(self, sql: Session, query: OrderQuery) -> list[Receipt]:
        """Orders with their previews, newest first."""
        orders = self.orders(sql, query)
        if not orders:
            return []
        wanted = [order.preview_id for order in orders]
        # Without the realm: beside many ids, SQLite would take an index that begins with it, and read all.
        found = sql.execute(f"SELECT * FROM previews WHERE preview_id IN ({marks(wanted)})", wanted)  # noqa: S608
        previews = {preview.preview_id: preview for preview in _readable(rows.preview_of, found)}
        keys = [order.order_key for order in orders]
        found = sql.execute(f"SELECT * FROM readings WHERE order_key IN ({marks(keys)})", keys)  # noqa: S608
        readings = {row["order_key"]: rows.reading_of(row) for row in found}
        return [
            Receipt(order, previews.get(order.preview_id), readings.get(order.order_key)) for order in orders
        ]

    def knows(self, sql: Session, query: OrderQuery) -> bool:
        """Whether the caller has a preview or an order of this reference or token."""
        condition = "caller = ? AND (out_order_id = ? OR token_digest = ?)"
        preview = self.preview(sql, condition, (query.caller, query.reference, query.token_digest))
        unfiltered = OrderQuery(query.caller, query.reference, query.token_digest, limit=1)
        return preview is not None or bool(self.orders(sql, unfiltered))

    def waiting(self, sql: Session, now: datetime) -> list[StoredPreview]:
        found = sql.execute(
            f"SELECT * FROM previews WHERE realm = ? AND {OPEN_PREVIEW} AND expires_at > ?"  # noqa: S608 - ours
            " AND NOT EXISTS (SELECT 1 FROM approvals WHERE approvals.preview_id = previews.preview_id)"
            " AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.realm = previews.realm"
            " AND orders.reference = lower(previews.out_order_id))"
            " ORDER BY created_at DESC",
            (self.realm, rows.time_text(now)),
        )
        return _readable(rows.preview_of, found)

    def approved_by(self, sql: Session, preview_id: str) -> ApprovedBy | None:
        found = sql.execute("SELECT method FROM approvals WHERE preview_id = ?", (preview_id,))
        return found[0]["method"] if found else None

    def page_open(self, sql: Session, caller: str, now: datetime) -> bool:
        """Whether a page that shows this caller's previews is open."""
        statement = (
            "SELECT 1 AS one FROM visits WHERE realm = ? AND (caller IS NULL OR caller = ?)"
            " AND seen_at > ? AND expires_at > ? LIMIT 1"
        )
        since, until = rows.time_text(now - PAGE_SEEN), rows.time_text(now)
        return bool(sql.execute(statement, (self.realm, caller, since, until)))

    def declined_at(self, sql: Session, preview: StoredPreview) -> datetime | None:
        """The last no, as it stands now."""
        found = sql.execute("SELECT declined_at FROM previews WHERE preview_id = ?", (preview.preview_id,))
        return rows.time_of(found[0]["declined_at"]) if found and found[0]["declined_at"] else None

    def paused(self, sql: Session) -> Pause | None:
        found = sql.execute("SELECT since, reason FROM pause")
        return rows.pause_of(found[0]) if found else None

    def order_where(
        self,
        sql: Session,
        condition: str,
        values: Sequence[Any],
        read: Callable[[Row], OrderRecord] = rows.order_of,
    ) -> OrderRecord | None:
        """The first order under a condition of ours with `?` for its values."""
        found = sql.execute(f"SELECT * FROM orders WHERE {condition} LIMIT 1", values)  # noqa: S608 - ours
        return read(found[0]) if found else None

    def abandoned(self, sql: Session, now: datetime) -> list[OrderRecord]:
        """Orders that are being sent beyond their lease, or under one that is longer than any can be."""
        found = sql.execute(
            "SELECT * FROM orders WHERE state = 'sending' AND realm = ?"
            " AND (lease_until < ? OR lease_until > ?)",
            (self.realm, rows.time_text(now), rows.time_text(now + MOST_LEASE)),
        )
        return [rows.order_whatever(row) for row in found]

    def reference_used(self, sql: Session, out_order_id: str) -> bool:
        """By the orders, and by the trail: a claim stays in it, whatever became of the order's row."""
        reference = out_order_id.lower()
        statement = "SELECT 1 AS one FROM orders WHERE realm = ? AND reference = ?"
        if sql.execute(statement, (self.realm, reference)):
            return True
        claims = sql.execute(
            "SELECT body FROM trail WHERE event = 'claimed' AND lower(subject) = ?", (reference,)
        )
        return any(f'"realm":"{self.realm}"' in claim["body"] for claim in claims)

    def restored_since(self, sql: Session, sequence: int) -> bool:
        """Whether the ledger was found to be copied or restored after this row of the trail."""
        statement = "SELECT 1 AS one FROM trail WHERE event = 'restored' AND sequence > ?"
        return bool(sql.execute(statement, (sequence,)))

    def trail_end(self, sql: Session) -> int:
        """The sequence of the trail's last row, 0 where it has none."""
        (row,) = sql.execute("SELECT COALESCE(MAX(sequence), 0) AS last FROM trail")
        return int(row["last"])

    def append(self, sql: Session, now: datetime, event: str, subject: str, body: dict[str, Any]) -> TrailRow:
        """The trail's next row."""
        body = body | {"realm": self.realm}
        last = sql.execute("SELECT sequence, hash FROM trail ORDER BY sequence DESC LIMIT 1")
        sequence, previous = (last[0]["sequence"] + 1, last[0]["hash"]) if last else (1, GENESIS)
        row = seal(sequence, rows.time_text(now), event, subject, body, previous)
        self.insert(sql, "trail", vars(row))
        return row

    def usage(self, sql: Session, caller: str, now: datetime) -> DayUsage:
        """Of the orders claimed on this day, and of those whose time of claim is unreadable: their day is not
        known, so they count until their rows are mended.
        """
        starts_at, ends_at = day_around(now, self.zone)
        counting = f"state IN ({marks(COUNTING_STATES)})"
        day = "created_at >= ? AND created_at < ?"
        statement = (
            "SELECT COALESCE(SUM(CASE WHEN caller = ? THEN payable_fen END), 0) AS fen,"  # noqa: S608 - marks
            " COUNT(CASE WHEN caller = ? THEN 1 END) AS orders, COALESCE(SUM(payable_fen), 0) AS total FROM ("
            f"SELECT caller, payable_fen FROM orders WHERE realm = ? AND {day} AND {counting} UNION ALL"
            " SELECT caller, payable_fen FROM orders"
            f" WHERE realm = ? AND {NO_DAY} AND NOT ({day}) AND {counting}) AS used"
        )
        bounds = (rows.time_text(starts_at), rows.time_text(ends_at), *COUNTING_STATES)
        values = (caller, caller, self.realm, *bounds, self.realm, *bounds)
        (used,) = sql.execute(statement, values)
        return DayUsage(int(used["fen"]), int(used["orders"]), int(used["total"]), ends_at)

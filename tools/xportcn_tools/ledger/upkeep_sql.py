"""What the owner does with a ledger as a whole, as SQL that every driver runs."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from xportcn_tools.ledger import rows
from xportcn_tools.ledger.erasure import UNORDERED, erased_order, erased_preview
from xportcn_tools.ledger.queries import OPEN_PREVIEW, Queries, Session
from xportcn_tools.ledger.trail import TrailRow
from xportcn_tools.ledger.upkeep import Pause
from xportcn_tools.upstream_state import Reading, VendorMessage

T = TypeVar("T")

AT_ONCE = 50  # rows that one transaction erases
MOST_MESSAGES = 10  # of the vendor, kept with an order


class SqlPart(ABC):
    """What each part of `SqlLedger` stands on."""

    _queries: Queries

    @abstractmethod
    async def _run(self, work: Callable[[Session], T]) -> T: ...

    @abstractmethod
    def _transaction(self, sql: Session) -> AbstractContextManager[None]:
        """Commit at the end, on disk; roll back on an exception. One writer at a time."""

    @abstractmethod
    def _one_row(self, sql: Session) -> AbstractContextManager[None]:
        """A row by which nothing is judged. On PostgreSQL it waits for no other writer."""

    @abstractmethod
    def _now(self, sql: Session) -> datetime:
        """Aware UTC, by the clock that all who share the ledger go by."""

    @abstractmethod
    def _append(self, sql: Session, event: str, subject: str, body: dict[str, Any]) -> TrailRow: ...


class SqlUpkeep(SqlPart):
    """The owner's part of `SqlLedger`."""

    async def trail(self) -> list[TrailRow]:
        found = await self._run(lambda sql: sql.execute("SELECT * FROM trail ORDER BY sequence"))
        return [rows.trail_row_of(row) for row in found]

    async def backed_up(self) -> None:
        def work(sql: Session) -> None:
            with self._transaction(sql):
                self._append(sql, "backed_up", "", {})

        await self._run(work)

    async def erase(self, order_key: str) -> bool:
        def work(sql: Session) -> bool:
            with self._transaction(sql):
                erased = bool(self._erase_orders(sql, "order_key = ?", order_key))
                if erased:
                    self._erase_replaced(sql, order_key)
                return erased

        return await self._run(work)

    async def erase_old(self, retention: timedelta) -> int:
        def work(sql: Session) -> int:
            now = self._now(sql)
            with self._transaction(sql):
                orders = self._erase_orders(sql, "created_at < ?", rows.time_text(now - retention))
                return orders or self._erase_previews(sql, rows.time_text(now - UNORDERED))

        return await self._run(work)

    def _erase_orders(self, sql: Session, condition: str, value: str) -> int:
        """Of orders that have ended, under a condition of ours with one `?`."""
        found = sql.execute(
            f"SELECT * FROM orders WHERE realm = ? AND ship_to <> '' AND {condition}"  # noqa: S608 - ours
            f" AND state NOT IN ('sending', 'unknown') ORDER BY created_at LIMIT {AT_ONCE}",
            (self._queries.realm, value),
        )
        for order in found:
            changed = erased_order()
            seals = self._queries.seals(sql, order, order)
            self._erase_preview(sql, order["preview_id"])
            seals |= self._queries.seals(sql, {**order, **changed})
            row = self._append(sql, "erased", order["out_order_id"], seals)
            changed["last_sequence"] = row.sequence
            for table in ("readings", "vendor_messages"):
                sql.execute(f"DELETE FROM {table} WHERE order_key = ?", (order["order_key"],))  # noqa: S608
            self._queries.update(sql, "orders", changed, "order_key = ?", order["order_key"])
        return len(found)

    def _erase_previews(self, sql: Session, before: str) -> int:
        """Of previews that became no order."""
        found = sql.execute(
            "SELECT preview_id, out_order_id FROM previews"  # noqa: S608 - ours
            f" WHERE realm = ? AND {OPEN_PREVIEW} AND expires_at < ?"
            f" ORDER BY expires_at LIMIT {AT_ONCE}",
            (self._queries.realm, before),
        )
        for preview in found:
            self._erase_preview(sql, preview["preview_id"])
            self._append(sql, "preview_erased", preview["out_order_id"], {})
        return len(found)

    def _erase_replaced(self, sql: Session, order_key: str) -> None:
        """Previews with the order's number that other terms have replaced."""
        (order,) = sql.execute("SELECT realm, reference FROM orders WHERE order_key = ?", (order_key,))
        replaced = sql.execute(
            "SELECT preview_id, out_order_id FROM previews"  # noqa: S608 - ours
            f" WHERE realm = ? AND {OPEN_PREVIEW} AND expires_at > '' AND lower(out_order_id) = ?",
            (order["realm"], order["reference"]),
        )
        for preview in replaced:
            self._erase_preview(sql, preview["preview_id"])
            self._append(sql, "preview_erased", preview["out_order_id"], {})

    def _erase_preview(self, sql: Session, preview_id: str) -> None:
        (row,) = sql.execute("SELECT * FROM previews WHERE preview_id = ?", (preview_id,))
        self._queries.update(sql, "previews", erased_preview(row), "preview_id = ?", preview_id)

    async def keep_reading(self, order_key: str, reading: Reading) -> None:
        def work(sql: Session) -> None:
            with self._transaction(sql):
                sql.execute("DELETE FROM readings WHERE order_key = ?", (order_key,))
                self._queries.insert(sql, "readings", rows.reading_row(order_key, reading))

        await self._run(work)

    async def keep_message(self, order_key: str, message: VendorMessage) -> None:
        def work(sql: Session) -> None:
            with self._transaction(sql):
                statement = "SELECT 1 AS one FROM orders WHERE order_key = ? AND ship_to <> ''"
                new = message if sql.execute(statement, (order_key,)) else replace(message, text="")
                kept = (new, *_messages(sql, order_key))[:MOST_MESSAGES]
                sql.execute("DELETE FROM vendor_messages WHERE order_key = ?", (order_key,))
                self._queries.insert(sql, "vendor_messages", rows.messages_row(order_key, kept))

        await self._run(work)

    async def messages(self, order_key: str) -> tuple[VendorMessage, ...]:
        return await self._run(lambda sql: _messages(sql, order_key))

    async def paused(self) -> Pause | None:
        return await self._run(self._queries.paused)

    async def pause(self, reason: str) -> None:
        def work(sql: Session) -> None:
            with self._transaction(sql):
                sql.execute("DELETE FROM pause")
                row = {"one": 1, "since": rows.time_text(self._now(sql)), "reason": reason}
                self._queries.insert(sql, "pause", row)
                self._append(sql, "paused", "", {})

        await self._run(work)

    async def resume(self) -> bool:
        def work(sql: Session) -> bool:
            with self._transaction(sql):
                if not self._queries.paused(sql):
                    return False
                sql.execute("DELETE FROM pause")
                self._append(sql, "resumed", "", {})
                return True

        return await self._run(work)


def _messages(sql: Session, order_key: str) -> tuple[VendorMessage, ...]:
    found = sql.execute("SELECT messages FROM vendor_messages WHERE order_key = ?", (order_key,))
    return rows.messages_of(found[0]) if found else ()

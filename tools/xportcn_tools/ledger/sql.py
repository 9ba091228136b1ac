"""The ledger's transactions, as SQL that every driver runs. A driver brings the connection and its locks.

The transactions are the product, so they stand here once: SQLite and PostgreSQL behave alike because they
run the same statements. Values stand as `?`. Within `_transaction` no other writer is at work: the trail
is one chain, so writers queue for it anyway.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from xportcn_tools.ledger import queries, rows
from xportcn_tools.ledger.ledger import (
    AlreadyClaimed,
    Claimed,
    DayUsage,
    EarlierUnknown,
    Judged,
    LedgerUnavailableError,
    NewOrder,
    OrderQuery,
    OrderRecord,
    Outcome,
    PreviewRecord,
    Realm,
    ReferenceUsed,
)
from xportcn_tools.ledger.queries import Session
from xportcn_tools.ledger.trail import GENESIS, TrailRow, seal

T = TypeVar("T")

GIVE_UP_SECONDS = 12.0
"""More than a driver waits for a connection and for a lock together; the lease leaves room for it."""


class SqlLedger(ABC):
    """Everything but the connection."""

    ID_IS_LISTED: str
    """Condition with one `?`: the order id is in the JSON array `order_ids`."""

    async def _run(self, work: Callable[[Session], T]) -> T:
        """Run `work` on a connection, off the event loop.

        Cancelled or not, a transaction that began is waited for, but not for ever: a store that hangs (a
        stalled disk, a commit that waits for a standby) must not keep back an answer that has come. What was
        given up while it waited for its turn does not happen; what had begun may. A claim that does is never
        sent.

        Raises:
            LedgerUnavailableError: the store failed, or hangs. NewerLedgerError: it is a newer program's.
        """
        given_up = threading.Event()

        def in_turn(sql: Session) -> T:
            if given_up.is_set():
                raise LedgerUnavailableError("nobody waits for this any more")
            return work(sql)

        try:
            with anyio.move_on_after(GIVE_UP_SECONDS, shield=True):
                try:
                    return await anyio.to_thread.run_sync(self._guarded, in_turn, abandon_on_cancel=True)
                except RuntimeError as error:  # no thread can be started
                    raise LedgerUnavailableError(f"{type(error).__name__}: {error}") from error
        finally:
            given_up.set()
        raise LedgerUnavailableError(f"the ledger did not answer within {GIVE_UP_SECONDS:g} s")

    @abstractmethod
    def _guarded(self, work: Callable[[Session], T]) -> T:
        """`work` on a connection, in this thread; the store's own errors as `LedgerUnavailableError`."""

    @abstractmethod
    def _transaction(self, sql: Session) -> AbstractContextManager[None]:
        """Commit at the end, on disk; roll back on an exception. One writer at a time."""

    @abstractmethod
    def _now(self, sql: Session) -> datetime:
        """Aware UTC, by the clock that all who share the ledger go by."""

    async def open(self) -> None:
        await self._run(lambda _: None)

    async def now(self) -> datetime:
        return await self._run(self._now)

    async def store_preview(self, preview: PreviewRecord) -> None:
        def work(sql: Session) -> None:
            with self._transaction(sql):
                queries.insert(sql, "previews", rows.to_row(preview))
                self._append(sql, "previewed", preview.out_order_id, rows.preview_trail(preview))

        await self._run(work)

    async def preview_by_token(self, token_digest: str, realm: Realm, caller: str) -> PreviewRecord | None:
        return await self._preview(
            "token_digest = ? AND realm = ? AND caller = ?", (token_digest, realm, caller)
        )

    async def preview_of_reference(
        self, realm: Realm, caller: str, out_order_id: str
    ) -> PreviewRecord | None:
        return await self._preview(
            "out_order_id = ? AND realm = ? AND caller = ?", (out_order_id, realm, caller)
        )

    async def preview_of(self, order: OrderRecord) -> PreviewRecord | None:
        return await self._preview(
            "preview_id = ? AND realm = ? AND caller = ?", (order.preview_id, order.realm, order.caller)
        )

    async def preview_by_code(self, realm: Realm, approval_code: str) -> PreviewRecord | None:
        return await self._preview("approval_code = ? AND realm = ?", (approval_code, realm))

    async def _preview(self, condition: str, values: Sequence[Any]) -> PreviewRecord | None:
        statement = f"SELECT * FROM previews WHERE {condition} ORDER BY created_at DESC LIMIT 1"  # noqa: S608 - ours
        found = await self._run(lambda sql: sql.execute(statement, values))
        return rows.preview_of(found[0]) if found else None

    async def waiting(self, realm: Realm) -> list[PreviewRecord]:
        def work(sql: Session) -> list[PreviewRecord]:
            found = sql.execute(
                "SELECT * FROM previews WHERE realm = ? AND expires_at > ?"
                " AND preview_id NOT IN (SELECT preview_id FROM orders)"
                " AND preview_id NOT IN (SELECT preview_id FROM approvals)"
                " ORDER BY created_at DESC",
                (realm, rows.time_text(self._now(sql))),
            )
            return [rows.preview_of(row) for row in found]

        return await self._run(work)

    async def approve(self, preview: PreviewRecord) -> None:
        def work(sql: Session) -> None:
            with self._transaction(sql):
                if queries.is_approved(sql, preview.preview_id):
                    return
                row = {
                    "preview_id": preview.preview_id,
                    "method": "operator",
                    "approved_at": rows.time_text(self._now(sql)),
                }
                queries.insert(sql, "approvals", row)
                self._append(sql, "approved", preview.out_order_id, rows.preview_trail(preview))

        await self._run(work)

    async def is_approved(self, preview_id: str) -> bool:
        return await self._run(lambda sql: queries.is_approved(sql, preview_id))

    async def orders(self, query: OrderQuery) -> list[OrderRecord]:
        statement, values = rows.select_orders(query, self.ID_IS_LISTED)
        found = await self._run(lambda sql: sql.execute(statement, values))
        return [rows.order_of(row) for row in found]

    async def earlier_open(self, preview: PreviewRecord) -> OrderRecord | None:
        return await self._run(lambda sql: queries.earlier_open(sql, preview))

    async def reference_used(self, realm: Realm, out_order_id: str) -> bool:
        return await self._run(lambda sql: queries.reference_used(sql, realm, out_order_id))

    async def usage(self, realm: Realm, caller: str) -> DayUsage:
        return await self._run(lambda sql: queries.usage(sql, realm, caller, rows.day_of(self._now(sql))))

    async def claim(
        self, new: NewOrder, lease_seconds: float, judge: Callable[[DayUsage], T | None]
    ) -> Claimed | AlreadyClaimed | ReferenceUsed | EarlierUnknown | Judged[T]:
        preview = new.preview

        def work(sql: Session) -> Claimed | AlreadyClaimed | ReferenceUsed | EarlierUnknown | Judged[T]:
            with self._transaction(sql):
                now = self._now(sql)
                self._settle(sql, preview.realm, now)
                claimed = queries.order_where(sql, "preview_id = ?", (preview.preview_id,))
                if claimed:
                    return AlreadyClaimed(claimed)
                if queries.reference_used(sql, preview.realm, preview.out_order_id):
                    return ReferenceUsed()
                earlier = queries.earlier_open(sql, preview)
                if earlier:
                    return EarlierUnknown(earlier)
                verdict = judge(queries.usage(sql, preview.realm, preview.caller, rows.day_of(now)))
                if verdict is not None:
                    return Judged(verdict)
                order = rows.new_order(new, now, now + timedelta(seconds=lease_seconds))
                queries.insert(sql, "orders", rows.to_row(order))
                self._append(sql, "claimed", order.out_order_id, rows.order_trail(order, preview))
                return Claimed(order)

        return await self._run(work)

    async def record(self, order_key: str, outcome: Outcome) -> OrderRecord:
        def work(sql: Session) -> OrderRecord:
            with self._transaction(sql):
                order = queries.order_where(sql, "order_key = ?", (order_key,))
                if order is None:
                    raise LedgerUnavailableError("the attempt is no longer in the ledger")
                if rows.outcome_values(outcome) == rows.outcome_values(rows.outcome_of(order)):
                    return order
                if order.state not in ("sending", "unknown"):
                    if (order.state, order.order_ids) != (outcome.state, outcome.order_ids):
                        body = rows.outcome_trail(order, outcome) | {"kept": order.state}
                        self._append(sql, "contradicted", order.out_order_id, body)
                    return order
                return self._set_outcome(sql, order, outcome, outcome.state)

        return await self._run(work)

    async def resolve(self, order_key: str, outcome: Outcome, event: str) -> OrderRecord | None:
        def work(sql: Session) -> OrderRecord | None:
            with self._transaction(sql):
                order = queries.order_where(sql, "order_key = ? AND state = 'unknown'", (order_key,))
                return self._set_outcome(sql, order, outcome, event) if order else None

        return await self._run(work)

    async def settle_abandoned(self, realm: Realm) -> list[OrderRecord]:
        def work(sql: Session) -> list[OrderRecord]:
            # Looked for first without a write lock: there is nothing to settle nearly always.
            now = self._now(sql)
            if not queries.abandoned(sql, realm, now):
                return []
            with self._transaction(sql):
                return self._settle(sql, realm, now)

        return await self._run(work)

    async def trail(self) -> list[TrailRow]:
        found = await self._run(lambda sql: sql.execute("SELECT * FROM trail ORDER BY sequence"))
        return [rows.trail_row_of(row) for row in found]

    # Inside a transaction

    def _settle(self, sql: Session, realm: Realm, now: datetime) -> list[OrderRecord]:
        gone = Outcome(
            "unknown",
            "unknown",
            problem_code="outcome_unknown",
            problem_text="the process that was sending this order ended before it recorded an answer",
        )
        late = queries.abandoned(sql, realm, now)
        return [self._set_outcome(sql, order, gone, "abandoned") for order in late]

    def _set_outcome(self, sql: Session, order: OrderRecord, outcome: Outcome, event: str) -> OrderRecord:
        sql.execute(
            "UPDATE orders SET state = ?, order_ids = ?, request_id = ?, request_sent = ?,"
            " problem_code = ?, problem_text = ?, updated_at = ? WHERE order_key = ?",
            (*rows.outcome_values(outcome), rows.time_text(self._now(sql)), order.order_key),
        )
        self._append(sql, event, order.out_order_id, rows.outcome_trail(order, outcome))
        fresh = queries.order_where(sql, "order_key = ?", (order.order_key,))
        if fresh is None:  # pragma: no cover - it was read in this transaction
            raise LedgerUnavailableError("the attempt is no longer in the ledger")
        return fresh

    def _append(self, sql: Session, event: str, subject: str, body: dict[str, Any]) -> None:
        last = sql.execute("SELECT sequence, hash FROM trail ORDER BY sequence DESC LIMIT 1")
        sequence, previous = (last[0]["sequence"] + 1, last[0]["hash"]) if last else (1, GENESIS)
        row = seal(sequence, rows.time_text(self._now(sql)), event, subject, body, previous)
        queries.insert(sql, "trail", vars(row))

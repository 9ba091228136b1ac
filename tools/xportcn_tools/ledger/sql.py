"""The ledger's transactions, as SQL that every driver runs. A driver brings the connection and its locks.

The transactions are the product, so they stand here once: SQLite and PostgreSQL behave alike because they
run the same statements. Values stand as `?`. Within `_transaction` no other writer is at work: the trail
is one chain, so writers queue for it anyway.
"""

import threading
from abc import abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, TypeVar

import anyio.to_thread

from xportcn_tools.ledger import rows
from xportcn_tools.ledger.approvals_sql import SqlApprovals
from xportcn_tools.ledger.ledger import (
    AlreadyClaimed,
    Claimed,
    ClaimResult,
    DayUsage,
    Declined,
    EarlierUnknown,
    Expired,
    LedgerUnavailableError,
    NewOrder,
    OrderQuery,
    OrderRecord,
    Outcome,
    Realm,
    Receipt,
    ReferenceUsed,
    Remembered,
    RuleBroken,
    Standing,
    StateTotal,
    StoredPreview,
    Voided,
)
from xportcn_tools.ledger.migrations import Migrating
from xportcn_tools.ledger.outcome_log import log_outcome
from xportcn_tools.ledger.queries import OPEN_PREVIEW, Queries, Session
from xportcn_tools.ledger.trail import TrailRow
from xportcn_tools.ledger.twins import Twins
from xportcn_tools.ledger.upkeep_sql import SqlUpkeep
from xportcn_tools.order import OrderRequest

T = TypeVar("T")

GIVE_UP_SECONDS = 12.0
"""More than a driver waits for a connection and for a lock together; the lease leaves room for it."""


class SqlLedger(SqlApprovals, SqlUpkeep):
    """Everything but the connection. It sees the orders of its realm and no other.

    `zone`: whose day the caps go by. `on_abandoned` hears, in the event loop, of orders whose sender was
    found gone by a read.
    """

    def __init__(self, realm: Realm, zone: tzinfo = UTC) -> None:
        self._queries = Queries(realm, zone)
        self._twins = Twins(self._queries)
        self._migrating = Migrating()
        self.on_abandoned: Callable[[list[OrderRecord]], None] = lambda _: None

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
        slow = f"the ledger did not answer within {GIVE_UP_SECONDS:g} s"
        raise LedgerUnavailableError(self._migrating.words or slow)

    @abstractmethod
    def _guarded(self, work: Callable[[Session], T]) -> T:
        """`work` on a connection, in this thread; the store's own errors as `LedgerUnavailableError`."""

    @abstractmethod
    def _snapshot(self, sql: Session) -> AbstractContextManager[None]:
        """Reads that all see one state."""

    def _is_void(self, sql: Session, preview: StoredPreview) -> bool:
        """Whether the ledger was copied or restored since this preview was made."""
        return self._queries.restored_since(sql, preview.trail_seen)

    async def open(self) -> None:
        await self._run(lambda _: None)

    async def offer(
        self, caller: str, request: OrderRequest, made: Callable[[Remembered], StoredPreview]
    ) -> StoredPreview:
        unless_taken = f" ON CONFLICT (approval_code) WHERE {OPEN_PREVIEW} DO NOTHING RETURNING 1 AS one"

        def work(sql: Session) -> StoredPreview:
            with self._snapshot(sql):
                earlier = self._twins.remembered(sql, caller, request, self._now(sql))
            while True:
                preview = made(earlier)
                row = self._row(preview) | {"goods_digest": ""}  # only an older program reads it
                with self._one_row(sql):
                    if self._queries.insert(sql, "previews", row, unless_taken):
                        return preview

        return await self._in_order(work)

    async def standing(self, token_digest: str, caller: str) -> Standing | None:
        def work(sql: Session) -> Standing | None:
            preview = self._queries.preview(sql, "token_digest = ? AND caller = ?", (token_digest, caller))
            if preview is None:
                return None
            now = self._now(sql)
            attempt = self._queries.order_where(sql, "preview_id = ?", (preview.preview_id,))
            if attempt:  # what came of it is the answer, whatever else holds
                unused = DayUsage(0, 0, 0, now)
                return Standing(now, preview, attempt, None, unused, None, True, False, None)
            return Standing(
                now,
                preview,
                attempt=None,
                approved=self._queries.approved_by(sql, preview.preview_id),
                used=self._queries.usage(sql, caller, now),
                twin=self._twins.twin(sql, preview),
                reference_used=self._queries.reference_used(sql, preview.out_order_id),
                page_open=self._queries.page_open(sql, caller, now),
                pause=self._queries.paused(sql),
                void=self._is_void(sql, preview),
                restored=self._queries.restored_since(sql, preview.trail_seen),
            )

        return await self._read(work)

    async def orders(self, query: OrderQuery) -> list[OrderRecord]:
        return await self._read(lambda sql: self._queries.orders(sql, query))

    async def totals(self, query: OrderQuery) -> list[StateTotal]:
        return await self._read(lambda sql: self._queries.totals(sql, query))

    async def receipts(self, query: OrderQuery) -> list[Receipt]:
        return await self._read(lambda sql: self._queries.receipts(sql, query))

    async def listing(self, query: OrderQuery) -> tuple[list[Receipt], list[StateTotal]]:
        return await self._read(
            lambda sql: (self._queries.receipts(sql, query), self._queries.totals(sql, query))
        )

    async def knows(self, query: OrderQuery) -> bool:
        return await self._read(lambda sql: self._queries.knows(sql, query))

    async def claim(
        self, new: NewOrder, lease_seconds: float, judge: Callable[[DayUsage], T | None]
    ) -> ClaimResult[T]:
        preview = new.preview

        def work(sql: Session) -> ClaimResult[T]:
            with self._transaction(sql):
                now = self._now(sql)
                self._settle(sql, now)
                if claimed := self._queries.order_where(sql, "preview_id = ?", (preview.preview_id,)):
                    return AlreadyClaimed(claimed)
                if paused := self._queries.paused(sql):
                    return paused
                if self._queries.reference_used(sql, preview.out_order_id):
                    return ReferenceUsed()
                if self._is_void(sql, preview):
                    return Voided()
                if now >= preview.expires_at:
                    return Expired()
                if self._queries.declined_at(sql, preview) != preview.declined_at:
                    return Declined()
                twin = self._twins.twin(sql, preview)
                if twin:
                    return EarlierUnknown(twin)
                verdict = judge(self._queries.usage(sql, preview.caller, now))
                if verdict is not None:
                    return RuleBroken(verdict)
                order = rows.new_order(new, now, now + timedelta(seconds=lease_seconds))
                row = self._row(order) | rows.order_beside(preview)
                body = rows.order_trail(order, preview) | self._queries.seals(sql, row)
                sequence = self._append(sql, "claimed", order.out_order_id, body).sequence
                self._queries.insert(sql, "orders", row | {"last_sequence": sequence})
                return Claimed(order)

        return await self._run(work)

    async def record(self, order_key: str, outcome: Outcome) -> OrderRecord:
        def work(sql: Session) -> OrderRecord:
            with self._transaction(sql):
                order = self._queries.order_where(sql, "order_key = ?", (order_key,), rows.order_whatever)
                if order is None:
                    raise LedgerUnavailableError("the attempt is no longer in the ledger")
                if outcome == rows.outcome_of(order):
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
                unknown = "order_key = ? AND state = 'unknown'"
                order = self._queries.order_where(sql, unknown, (order_key,), rows.order_whatever)
                return self._set_outcome(sql, order, outcome, event) if order else None

        return await self._run(work)

    async def _read(self, work: Callable[[Session], T]) -> T:
        """All in one snapshot."""

        def at_once(sql: Session) -> T:
            with self._snapshot(sql):
                return work(sql)

        return await self._in_order(at_once)

    async def _in_order(self, work: Callable[[Session], T]) -> T:
        """With orders as they are: those whose sender is gone are ended first."""
        gone: list[OrderRecord] = []

        def in_order(sql: Session) -> T:
            # Looked for first without a write lock: there is nothing to settle nearly always.
            now = self._now(sql)
            if self._queries.abandoned(sql, now):
                with self._transaction(sql):
                    settled = self._settle(sql, now)
                gone.extend(settled)
            return work(sql)

        try:
            return await self._run(in_order)
        finally:
            if gone:
                self.on_abandoned(gone)
            for order in gone:
                log_outcome(order.out_order_id, rows.outcome_of(order))

    def _row(self, record: StoredPreview | OrderRecord) -> dict[str, Any]:
        return {"realm": self._queries.realm, **rows.to_row(record)}

    # Inside a transaction

    def _settle(self, sql: Session, now: datetime) -> list[OrderRecord]:
        gone = Outcome(
            "unknown",
            "unknown",
            problem_code="outcome_unknown",
            problem_text="the process that was sending this order ended before it recorded an answer",
        )
        return [
            self._set_outcome(sql, order, gone, "abandoned") for order in self._queries.abandoned(sql, now)
        ]

    def _set_outcome(self, sql: Session, order: OrderRecord, outcome: Outcome, event: str) -> OrderRecord:
        now = self._now(sql)
        changed = rows.to_row(outcome) | {"updated_at": rows.time_text(now)}
        (stored,) = sql.execute("SELECT * FROM orders WHERE order_key = ?", (order.order_key,))
        seals = self._queries.seals(sql, {**stored, **changed}, stored)
        body = rows.outcome_trail(order, outcome) | seals
        changed["last_sequence"] = self._append(sql, event, order.out_order_id, body).sequence
        self._queries.update(sql, "orders", changed, "order_key = ?", order.order_key)
        return replace(order, **vars(outcome), updated_at=now)

    def _append(self, sql: Session, event: str, subject: str, body: dict[str, Any]) -> TrailRow:
        return self._queries.append(sql, self._now(sql), event, subject, body)

"""The ledger in one SQLite file: WAL, `synchronous=FULL`, `BEGIN IMMEDIATE`, mode 0600.

SQL runs in a worker thread, one statement sequence at a time. The transactions are the product, so they
stand here as SQL. An error of SQLite or of the file system is a `LedgerUnavailableError`.
"""

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import anyio.to_thread

from xportcn_tools.ledger import rows
from xportcn_tools.ledger.ledger import (
    COUNTING_STATES,
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
from xportcn_tools.ledger.migrations import migrate, refuse_newer
from xportcn_tools.ledger.trail import GENESIS, TrailRow, seal

logger = logging.getLogger(__name__)
T = TypeVar("T")

BUSY_SECONDS = 5.0
"""How long a transaction waits for another process's before the ledger counts as locked."""


class SqliteLedger:
    """The driver for one file. `clock` gives aware UTC times."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self.path = path
        self._clock = clock
        self._busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._known_files: dict[Path, tuple[int, int]] = {}

    async def open(self) -> None:
        await self._run(lambda _: None)

    async def aclose(self) -> None:
        await anyio.to_thread.run_sync(self._close)

    async def store_preview(self, preview: PreviewRecord) -> None:
        def work(sql: sqlite3.Connection) -> None:
            with self._transaction(sql):
                rows.insert(sql, "previews", rows.preview_row(preview))
                self._append(sql, "previewed", preview.out_order_id, rows.preview_trail(preview))

        await self._run(work)

    async def preview_by_token(self, token_digest: str, realm: Realm, caller: str) -> PreviewRecord | None:
        def work(sql: sqlite3.Connection) -> PreviewRecord | None:
            found = sql.execute(
                "SELECT * FROM previews WHERE token_digest = ? AND realm = ? AND caller = ?",
                (token_digest, realm, caller),
            ).fetchone()
            return rows.preview_of(found) if found else None

        return await self._run(work)

    async def preview_of_reference(
        self, realm: Realm, caller: str, out_order_id: str
    ) -> PreviewRecord | None:
        def work(sql: sqlite3.Connection) -> PreviewRecord | None:
            found = sql.execute(
                "SELECT * FROM previews WHERE out_order_id = ? AND realm = ? AND caller = ?"
                " ORDER BY created_at DESC LIMIT 1",
                (out_order_id, realm, caller),
            ).fetchone()
            return rows.preview_of(found) if found else None

        return await self._run(work)

    async def preview_by_code(self, realm: Realm, approval_code: str) -> PreviewRecord | None:
        def work(sql: sqlite3.Connection) -> PreviewRecord | None:
            found = sql.execute(
                "SELECT * FROM previews WHERE approval_code = ? AND realm = ?", (approval_code, realm)
            ).fetchone()
            return rows.preview_of(found) if found else None

        return await self._run(work)

    async def waiting(self, realm: Realm) -> list[PreviewRecord]:
        def work(sql: sqlite3.Connection) -> list[PreviewRecord]:
            found = sql.execute(
                "SELECT * FROM previews WHERE realm = ? AND expires_at > ?"
                " AND preview_id NOT IN (SELECT preview_id FROM orders)"
                " AND preview_id NOT IN (SELECT preview_id FROM approvals)"
                " ORDER BY created_at DESC",
                (realm, rows.time_text(self._clock())),
            )
            return [rows.preview_of(row) for row in found]

        return await self._run(work)

    async def approve(self, preview: PreviewRecord) -> None:
        def work(sql: sqlite3.Connection) -> None:
            with self._transaction(sql):
                if _is_approved(sql, preview.preview_id):
                    return
                row = {
                    "preview_id": preview.preview_id,
                    "method": "operator",
                    "approved_at": rows.time_text(self._clock()),
                }
                rows.insert(sql, "approvals", row)
                self._append(sql, "approved", preview.out_order_id, rows.preview_trail(preview))

        await self._run(work)

    async def is_approved(self, preview_id: str) -> bool:
        return await self._run(lambda sql: _is_approved(sql, preview_id))

    async def orders(self, query: OrderQuery) -> list[OrderRecord]:
        statement, values = rows.select_orders(query)

        def work(sql: sqlite3.Connection) -> list[OrderRecord]:
            return [rows.order_of(row) for row in sql.execute(statement, values)]

        return await self._run(work)

    async def reference_used(self, realm: Realm, out_order_id: str) -> bool:
        return await self._run(lambda sql: _reference_used(sql, realm, out_order_id))

    async def usage(self, realm: Realm, caller: str) -> DayUsage:
        return await self._run(lambda sql: _usage(sql, realm, caller, rows.day_of(self._clock())))

    async def claim(
        self, new: NewOrder, lease_seconds: float, judge: Callable[[DayUsage], T | None]
    ) -> Claimed | AlreadyClaimed | ReferenceUsed | EarlierUnknown | Judged[T]:
        preview = new.preview

        def work(
            sql: sqlite3.Connection,
        ) -> Claimed | AlreadyClaimed | ReferenceUsed | EarlierUnknown | Judged[T]:
            with self._transaction(sql):
                now = self._clock()
                self._settle(sql, preview.realm, now)
                claimed = _order_where(sql, "preview_id = ?", (preview.preview_id,))
                if claimed:
                    return AlreadyClaimed(claimed)
                if _reference_used(sql, preview.realm, preview.out_order_id):
                    return ReferenceUsed()
                earlier = _order_where(
                    sql,
                    "(state = 'unknown' OR state = 'sending' AND created_at <= ?)"
                    " AND realm = ? AND caller = ? AND goods_digest = ? AND place_digest = ?",
                    (
                        rows.time_text(preview.created_at),
                        preview.realm,
                        preview.caller,
                        preview.goods_digest,
                        preview.place_digest,
                    ),
                )
                if earlier:
                    return EarlierUnknown(earlier)
                verdict = judge(_usage(sql, preview.realm, preview.caller, rows.day_of(now)))
                if verdict is not None:
                    return Judged(verdict)
                order = rows.new_order(new, now, now + timedelta(seconds=lease_seconds))
                rows.insert(sql, "orders", rows.order_row(order))
                self._append(sql, "claimed", order.out_order_id, rows.order_trail(order, preview))
                return Claimed(order)

        return await self._run(work)

    async def record(self, order_key: str, outcome: Outcome) -> OrderRecord:
        def work(sql: sqlite3.Connection) -> OrderRecord:
            with self._transaction(sql):
                order = _order_where(sql, "order_key = ?", (order_key,))
                if order is None:
                    raise LedgerUnavailableError("the attempt is no longer in the ledger")
                if order.state not in ("sending", "unknown"):
                    if (order.state, order.order_ids) != (outcome.state, outcome.order_ids):
                        body = rows.outcome_trail(order, outcome) | {"kept": order.state}
                        self._append(sql, "contradicted", order.out_order_id, body)
                    return order
                return self._set_outcome(sql, order, outcome, outcome.state)

        return await self._run(work)

    async def resolve(self, order_key: str, outcome: Outcome, event: str) -> OrderRecord | None:
        def work(sql: sqlite3.Connection) -> OrderRecord | None:
            with self._transaction(sql):
                order = _order_where(sql, "order_key = ? AND state = 'unknown'", (order_key,))
                return self._set_outcome(sql, order, outcome, event) if order else None

        return await self._run(work)

    async def settle_abandoned(self, realm: Realm) -> list[OrderRecord]:
        def work(sql: sqlite3.Connection) -> list[OrderRecord]:
            # Looked for first without a write lock: there is nothing to settle nearly always.
            now = self._clock()
            if not _abandoned(sql, realm, now):
                return []
            with self._transaction(sql):
                return self._settle(sql, realm, now)

        return await self._run(work)

    async def trail(self) -> list[TrailRow]:
        def work(sql: sqlite3.Connection) -> list[TrailRow]:
            return [TrailRow(**dict(row)) for row in sql.execute("SELECT * FROM trail ORDER BY sequence")]

        return await self._run(work)

    # Inside a transaction

    def _settle(self, sql: sqlite3.Connection, realm: Realm, now: datetime) -> list[OrderRecord]:
        gone = Outcome(
            "unknown",
            "unknown",
            problem_code="outcome_unknown",
            problem_text="the process that was sending this order ended before it recorded an answer",
        )
        return [self._set_outcome(sql, order, gone, "abandoned") for order in _abandoned(sql, realm, now)]

    def _set_outcome(
        self, sql: sqlite3.Connection, order: OrderRecord, outcome: Outcome, event: str
    ) -> OrderRecord:
        sql.execute(
            "UPDATE orders SET state = ?, order_ids = ?, request_id = ?, request_sent = ?,"
            " problem_code = ?, problem_text = ?, updated_at = ? WHERE order_key = ?",
            (*rows.outcome_values(outcome), rows.time_text(self._clock()), order.order_key),
        )
        self._append(sql, event, order.out_order_id, rows.outcome_trail(order, outcome))
        fresh = _order_where(sql, "order_key = ?", (order.order_key,))
        if fresh is None:  # pragma: no cover - it was read in this transaction
            raise LedgerUnavailableError("the attempt is no longer in the ledger")
        return fresh

    def _append(self, sql: sqlite3.Connection, event: str, subject: str, body: dict[str, Any]) -> None:
        last = sql.execute("SELECT sequence, hash FROM trail ORDER BY sequence DESC LIMIT 1").fetchone()
        sequence, previous = (last["sequence"] + 1, last["hash"]) if last else (1, GENESIS)
        row = seal(sequence, rows.time_text(self._clock()), event, subject, body, previous)
        rows.insert(sql, "trail", vars(row))

    # Connection

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        # Not abandoned on cancellation: a transaction that began is waited for.
        try:
            return await anyio.to_thread.run_sync(self._guarded, work)
        except RuntimeError as error:  # no thread can be started
            raise LedgerUnavailableError(f"{type(error).__name__}: {error}") from error

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                connection = self._connected()
                return work(connection)
            except (sqlite3.Error, OSError, UnicodeError, OverflowError) as error:
                # The last two: a value that SQLite cannot hold.
                raise LedgerUnavailableError(f"{type(error).__name__}: {error}") from error

    @contextlib.contextmanager
    def _transaction(self, sql: sqlite3.Connection) -> Generator[None]:
        sql.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._check_identity()
            sql.execute("COMMIT")
        except BaseException:
            if sql.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    sql.execute("ROLLBACK")
            raise

    def _connected(self) -> sqlite3.Connection:
        if self._connection is not None:
            self._check_identity()
            return self._connection
        self._check_identity()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made by us first, so that nobody else can read it at any moment. One that exists is not opened:
        # closing it again would give up every lock that this process has on it (POSIX), and another
        # process, leaving, could then delete the log that a ledger of this process goes on writing to.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        connection = sqlite3.connect(
            self.path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            refuse_newer(connection)  # before anything that writes
            self._write_ahead(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            migrate(connection, rows.time_text(self._clock()))
        except BaseException:
            connection.close()
            raise
        for file in (self.path, self._log):
            with contextlib.suppress(FileNotFoundError):  # no log where the file system can have none
                self._known_files[file] = _identity_of(file)
        self._connection = connection
        return connection

    def _write_ahead(self, connection: sqlite3.Connection) -> None:
        """Switch the log on. Two that do so at once are locked out at once: here SQLite does not wait."""
        until = time.monotonic() + self._busy_seconds
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return

    @property
    def _log(self) -> Path:
        """SQLite's write-ahead log: while a connection is open, commits are in it and nowhere else."""
        return self.path.with_name(f"{self.path.name}-wal")

    def _check_identity(self) -> None:
        """A file that was deleted or replaced below us would take our writes and lose them."""
        for file, known in self._known_files.items():
            try:
                identity = _identity_of(file)
            except FileNotFoundError:
                raise LedgerUnavailableError(
                    f"the ledger's file {file.name} was deleted while the server ran"
                ) from None
            if identity != known:
                raise LedgerUnavailableError(
                    f"the ledger's file {file.name} was replaced while the server ran"
                )

    def _close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
                self._known_files.pop(self._log, None)  # SQLite deletes it with the last connection


def _identity_of(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_dev, status.st_ino


def _order_where(sql: sqlite3.Connection, condition: str, values: tuple[Any, ...]) -> OrderRecord | None:
    found = sql.execute(f"SELECT * FROM orders WHERE {condition} LIMIT 1", values).fetchone()  # noqa: S608 - ours
    return rows.order_of(found) if found else None


def _abandoned(sql: sqlite3.Connection, realm: Realm, now: datetime) -> list[OrderRecord]:
    found = sql.execute(
        "SELECT * FROM orders WHERE state = 'sending' AND realm = ? AND lease_until < ?",
        (realm, rows.time_text(now)),
    )
    return [rows.order_of(row) for row in found.fetchall()]


def _is_approved(sql: sqlite3.Connection, preview_id: str) -> bool:
    return sql.execute("SELECT 1 FROM approvals WHERE preview_id = ?", (preview_id,)).fetchone() is not None


def _reference_used(sql: sqlite3.Connection, realm: Realm, out_order_id: str) -> bool:
    found = sql.execute("SELECT 1 FROM orders WHERE realm = ? AND out_order_id = ?", (realm, out_order_id))
    return found.fetchone() is not None


def _usage(sql: sqlite3.Connection, realm: Realm, caller: str, day: str) -> DayUsage:
    marks = ", ".join("?" * len(COUNTING_STATES))
    statement = (
        "SELECT COALESCE(SUM(payable_fen), 0) AS fen, COUNT(*) AS orders FROM orders"  # noqa: S608 - marks
        f" WHERE realm = ? AND caller = ? AND day = ? AND state IN ({marks})"
    )
    total = sql.execute(statement, (realm, caller, day, *COUNTING_STATES)).fetchone()
    return DayUsage(total["fen"], total["orders"])

"""The ledger in PostgreSQL (psycopg 3, extra `postgres`), for several replicas that keep no state.

The same transactions as on SQLite. One writer at a time by an advisory lock, taken first in every
transaction that writes an order: the caps, the claim and the chain are judged on committed data. A preview
is one row and takes no lock. Leases and days go by the database's clock. psycopg runs in worker threads: its
asynchronous form has no Windows event loop.

A connection that breaks at COMMIT leaves open whether the transaction happened, and so does a wait for a
synchronous standby that somebody cuts short. For a claim the ledger looks again, by a transaction that waits
for the standby itself; what it still cannot know is `LedgerUnavailableError`, and nothing is sent.
"""

import contextlib
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, TypeVar, cast

import anyio
import anyio.to_thread
import psycopg
import psycopg.errors
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from xportcn_tools.ledger import rows
from xportcn_tools.ledger.ledger import (
    AlreadyClaimed,
    Claimed,
    ClaimResult,
    DayUsage,
    LedgerUnavailableError,
    NewerLedgerError,
    NewOrder,
    OrderRecord,
    Realm,
)
from xportcn_tools.ledger.migrations import OTHERS, TRAIL_ROWS, newer, numbered_scripts
from xportcn_tools.ledger.queries import Row, Session
from xportcn_tools.ledger.sql import SqlLedger

T = TypeVar("T")
Connection = psycopg.Connection[dict[str, Any]]

WAIT_SECONDS = 5
"""For a connection, for the writers' lock, for a statement: then the ledger counts as unavailable."""

MOST_CONNECTIONS = 8
_GUARDS = (
    f"; SET LOCAL lock_timeout = '{WAIT_SECONDS}s'; SET LOCAL statement_timeout = '{2 * WAIT_SECONDS}s'"
    # A replica that vanishes inside a transaction must not hold the writers' lock for hours.
    f"; SET LOCAL idle_in_transaction_session_timeout = '{2 * WAIT_SECONDS}s'"
    # Only a warning says that a commit was cut short.
    "; SET LOCAL synchronous_commit = on; SET LOCAL client_min_messages = warning"
)
"""Of each transaction: as options of the connection, a pooler (PgBouncer) would refuse or drop them."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WRITERS = 7_688_268_100_000_001  # the advisory lock of this program's writers; the number means nothing


def _check(connection: Connection) -> None:
    """Asked when a connection leaves the pool: one that the database has closed is not handed out."""
    connection.execute("")


class CommitUnknownError(LedgerUnavailableError):
    """The connection broke at COMMIT: the transaction may have happened."""


class PostgresSession:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        # The statements are our own and hold no percent sign and no question mark but for values.
        text = cast("Any", statement.replace("?", "%s"))
        cursor = self.connection.execute(text, tuple(values) or None)
        return list(cursor.fetchall()) if cursor.description else []


class PostgresLedger(SqlLedger):
    """The driver for one database. `clock` stands in for the database's own clock, for tests."""

    def __init__(
        self,
        url: str,
        realm: Realm,
        *,
        zone: tzinfo = UTC,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        super().__init__(realm, zone)
        self._clock = clock
        self._migrated = False
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            connection_class=Connection,
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                "connect_timeout": WAIT_SECONDS,
                # A database that has gone without a word is noticed, not waited for.
                "keepalives_idle": WAIT_SECONDS,
                "keepalives_interval": 2,
                "keepalives_count": 3,
                "tcp_user_timeout": 2 * WAIT_SECONDS * 1000,
                "application_name": "xportcn-mcp",
                "client_encoding": "UTF8",
                # Prepared statements would break where a newer program adds a column beside this one.
                "prepare_threshold": None,
            },
            min_size=0,
            max_size=MOST_CONNECTIONS,
            timeout=WAIT_SECONDS,
            reconnect_timeout=WAIT_SECONDS,
            check=_check,
            open=False,
        )

    async def aclose(self) -> None:
        with anyio.move_on_after(WAIT_SECONDS, shield=True):
            await anyio.to_thread.run_sync(self._pool.close, abandon_on_cancel=True)

    async def claim(
        self, new: NewOrder, lease_seconds: float, judge: Callable[[DayUsage], T | None]
    ) -> ClaimResult[T]:
        try:
            return await super().claim(new, lease_seconds, judge)
        except CommitUnknownError:
            # The key was minted for this very call: if its row is there, the claim is ours. If it is not, it
            # may still come; then it stays `sending`, becomes unknown, and was never sent.
            found = await self._run(lambda sql: self._confirmed(sql, new.order_key))
            if isinstance(found, OrderRecord):
                # If another gave it up meanwhile, its caller has read that the outcome is unknown: not sent.
                return Claimed(found) if found.state == "sending" else AlreadyClaimed(found)
            raise

    def _confirmed(self, sql: Session, order_key: str) -> OrderRecord | None:
        """The attempt, by a transaction that writes: it is committed only where a standby that commits wait
        for has everything before it too. To read the row would prove this one machine's memory, no more.
        """
        with self._transaction(sql):
            sql.execute("UPDATE orders SET lease_until = lease_until WHERE order_key = ?", (order_key,))
            return self._queries.order_where(sql, "order_key = ?", (order_key,))

    def _guarded(self, work: Callable[[Session], T]) -> T:
        try:
            self._pool.open()
            with self._pool.connection() as connection:
                if not self._migrated:
                    self._migrate(connection)
                return work(self._session(connection))
        except PoolTimeout as error:
            raise LedgerUnavailableError(f"PostgreSQL: no connection within {WAIT_SECONDS} s") from error
        except (psycopg.Error, OSError, UnicodeError) as error:
            # The last one: a value that no text column can hold.
            why = f"PostgreSQL: {type(error).__name__}"
            if not self._migrated and isinstance(error, psycopg.errors.LockNotAvailable):
                why = self._migrating.words or f"{why}: {OTHERS}"
            raise LedgerUnavailableError(why) from error

    def _session(self, connection: Connection) -> Session:
        return PostgresSession(connection)

    def _transaction(self, sql: Session) -> contextlib.AbstractContextManager[None]:
        return self._committed(sql, "SELECT pg_advisory_xact_lock(?)", _WRITERS)

    def _one_row(self, sql: Session) -> contextlib.AbstractContextManager[None]:
        return self._committed(sql)

    @contextlib.contextmanager
    def _committed(self, sql: Session, lock: str = "", *values: int) -> Generator[None]:
        connection = cast("PostgresSession", sql).connection
        # Each statement sees what is committed by then.
        sql.execute("BEGIN ISOLATION LEVEL READ COMMITTED" + _GUARDS)
        try:
            if lock:
                sql.execute(lock, values)
            yield
        except BaseException:
            with contextlib.suppress(psycopg.Error):
                sql.execute("ROLLBACK")
            raise
        warnings: list[str] = []

        def heard(notice: psycopg.errors.Diagnostic) -> None:
            if notice.severity_nonlocalized == "WARNING":
                warnings.append(notice.message_primary or "")

        connection.add_notice_handler(heard)
        try:
            sql.execute("COMMIT")
        except psycopg.Error as error:
            connection.close()  # never back into the pool half-way
            raise CommitUnknownError("PostgreSQL: the connection broke at COMMIT") from error
        finally:
            connection.remove_notice_handler(heard)
        if warnings:
            # So it says that the wait for its standby was cut short: committed on this machine alone.
            raise CommitUnknownError("PostgreSQL: the commit may be lost with this database")

    @contextlib.contextmanager
    def _snapshot(self, sql: Session) -> Generator[None]:
        sql.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" + _GUARDS)
        try:
            yield
        finally:
            with contextlib.suppress(psycopg.Error):
                sql.execute("ROLLBACK")  # nothing was written

    def _now(self, sql: Session) -> datetime:
        if self._clock:
            return self._clock()
        (row,) = sql.execute("SELECT extract(epoch FROM clock_timestamp()) AS now")
        return _EPOCH + timedelta(microseconds=int(row["now"] * 1_000_000))

    def _migrate(self, connection: Connection) -> None:
        """Bring the database to this program's version, in one transaction.

        Raises:
            NewerLedgerError: a newer program has migrated it further.
        """
        sql = PostgresSession(connection)
        scripts = numbered_scripts("postgres")
        newest = scripts[-1][0]
        with self._transaction(sql):
            sql.execute("SET LOCAL statement_timeout = 0")  # an index over a long trail takes its time
            (row,) = sql.execute("SELECT to_regclass('migrations') IS NOT NULL AS known")
            version = 0
            if row["known"]:
                (found,) = sql.execute("SELECT COALESCE(MAX(number), 0) AS version FROM migrations")
                version = int(found["version"])
            if version > newest:
                raise NewerLedgerError(newer(version, newest))
            try:
                for number, name, script in scripts:
                    if number <= version:
                        continue
                    if version:
                        self._migrating.at(number, newest, sql.execute(TRAIL_ROWS)[0]["found"])
                    connection.execute(cast("Any", script))
                    sql.execute(
                        "INSERT INTO migrations (number, name, applied_at) VALUES (?, ?, ?)",
                        (number, name, rows.time_text(self._now(sql))),
                    )
            finally:
                self._migrating.words = ""
        self._migrated = True

"""The ledger in one SQLite file: WAL, `synchronous=FULL`, `BEGIN IMMEDIATE`, mode 0600.

SQL runs in a worker thread, one statement sequence at a time. An error of SQLite or of the file system is
a `LedgerUnavailableError`.
"""

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from xportcn_tools.clock import utc_now
from xportcn_tools.ledger import rows
from xportcn_tools.ledger.ledger import LedgerUnavailableError, Realm
from xportcn_tools.ledger.migrations import migrate, refuse_newer
from xportcn_tools.ledger.queries import Row, Session
from xportcn_tools.ledger.sql import GIVE_UP_SECONDS, SqlLedger

T = TypeVar("T")

BUSY_SECONDS = 5.0
"""How long a transaction waits for another process's before the ledger counts as locked."""


class _SqliteSession:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        return [dict(row) for row in self.connection.execute(statement, values)]


class SqliteLedger(SqlLedger):
    """The driver for one file. `clock` gives aware UTC times: those who share a file share a machine."""

    ID_IS_LISTED = "EXISTS (SELECT 1 FROM json_each(order_ids) WHERE value = ?)"

    def __init__(
        self,
        path: Path,
        realm: Realm,
        *,
        zone: tzinfo = UTC,
        clock: Callable[[], datetime] = utc_now,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        super().__init__(realm, zone)
        self.path = path
        self._clock = clock
        self._busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._known_files: dict[Path, tuple[int, int]] = {}

    async def aclose(self) -> None:
        with anyio.move_on_after(BUSY_SECONDS, shield=True):  # a thread that hangs has the lock
            await anyio.to_thread.run_sync(self._close, abandon_on_cancel=True)

    def _now(self, sql: Session) -> datetime:
        del sql
        return self._clock()

    def _guarded(self, work: Callable[[Session], T]) -> T:
        if not self._lock.acquire(timeout=GIVE_UP_SECONDS):  # else threads would gather behind one that hangs
            raise LedgerUnavailableError("an earlier transaction of this process does not end")
        try:
            return work(_SqliteSession(self._connected()))
        except (sqlite3.Error, OSError, UnicodeError, OverflowError) as error:
            # The last two: a value that SQLite cannot hold.
            raise LedgerUnavailableError(f"{type(error).__name__}: {error}") from error
        finally:
            self._lock.release()

    @contextlib.contextmanager
    def _transaction(self, sql: Session) -> Generator[None]:
        sql.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._check_identity()
            sql.execute("COMMIT")
        except BaseException:
            if self._connection and self._connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    sql.execute("ROLLBACK")
            raise

    _one_row = _transaction

    @contextlib.contextmanager
    def _snapshot(self, sql: Session) -> Generator[None]:
        sql.execute("BEGIN")
        try:
            yield
        finally:
            with contextlib.suppress(sqlite3.Error):
                sql.execute("ROLLBACK")  # nothing was written

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

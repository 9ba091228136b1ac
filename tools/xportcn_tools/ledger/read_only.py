"""A ledger as it lies, read in one snapshot without a server: never made, migrated or written to."""

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast

from xportcn_tools.ledger.ledger import LedgerUnavailableError
from xportcn_tools.ledger.queries import Row

_BUSY_SECONDS = 2
_AT_ONCE = 2000


class LedgerReader(Protocol):
    """One snapshot of a ledger's tables. What fails on the way is a `LedgerUnavailableError`."""

    def stream(self, statement: str, *values: Any) -> Iterator[Row]:
        """Rows one after the other, in constant memory. Values stand as `?`."""
        ...

    def has(self, table: str) -> bool: ...


def values_of(row: Row) -> tuple[Any, ...]:
    """A row's values, in the order of the statement's columns."""
    return tuple(row.values()) if isinstance(row, dict) else tuple(row)


def sqlite_connection(path: Path) -> sqlite3.Connection:
    """A connection that cannot write.

    Without a write-ahead log, no program has the ledger open and the file alone holds everything: then
    it is read as it lies, since SQLite would otherwise leave an empty log behind. Beside a log without its
    index (a ledger that was copied with its log) SQLite makes the index, `…-shm`, and may leave it there: it
    holds nothing of its own, and to remove it could take it from a program that has just come.
    """
    log = path.with_name(f"{path.name}-wal")
    options = "mode=ro" if log.exists() else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True, timeout=_BUSY_SECONDS)


class _SqliteReader:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def stream(self, statement: str, *values: Any) -> Iterator[Row]:
        try:
            for row in self._connection.execute(statement, values):
                yield cast("Row", row)
        except (sqlite3.Error, ValueError) as error:
            raise LedgerUnavailableError(f"the file is damaged or cannot be read: {error}") from error

    def has(self, table: str) -> bool:
        return any(self.stream("SELECT 1 FROM sqlite_master WHERE name = ?", table))


class _PostgresReader:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._cursors = 0

    def stream(self, statement: str, *values: Any) -> Iterator[Row]:
        import psycopg  # noqa: PLC0415 - the extra `postgres`
        from psycopg.rows import dict_row  # noqa: PLC0415

        self._cursors += 1
        try:
            with self._connection.cursor(f"reading_{self._cursors}", row_factory=dict_row) as cursor:
                cursor.itersize = _AT_ONCE
                cursor.execute(statement.replace("?", "%s"), values or None)
                yield from cursor
        except psycopg.Error as error:
            raise LedgerUnavailableError(f"PostgreSQL: {type(error).__name__}") from error

    def has(self, table: str) -> bool:
        (row,) = self.stream("SELECT to_regclass(?) IS NOT NULL AS known", table)
        return bool(row["known"])


@contextmanager
def reading_file(path: Path) -> Generator[LedgerReader]:
    """The ledger in a SQLite file, or in a copy of one. Raises: LedgerUnavailableError."""
    try:
        connection = sqlite_connection(path)
    except sqlite3.Error as error:
        raise LedgerUnavailableError(f"{path} cannot be read: {error}") from error
    with closing(connection):
        connection.row_factory = sqlite3.Row
        # What is no text any more must still be compared.
        connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
        try:
            connection.execute("BEGIN")
        except sqlite3.Error as error:
            raise LedgerUnavailableError(f"{path} cannot be read: {error}") from error
        yield _SqliteReader(connection)


@contextmanager
def reading_database(url: str) -> Generator[LedgerReader]:
    """The ledger in PostgreSQL. Raises: LedgerUnavailableError."""
    import psycopg  # noqa: PLC0415 - the extra `postgres`

    try:
        connection = psycopg.connect(url, connect_timeout=5, prepare_threshold=None)
    except psycopg.Error as error:  # its text may repeat the password
        raise LedgerUnavailableError(f"PostgreSQL: {type(error).__name__}") from error
    with closing(connection):
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield _PostgresReader(connection)

"""Numbered migrations of the SQLite ledger: `schema/sqlite/NNN_name.sql`, applied once, in order."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from importlib.resources import files

from xportcn_tools.ledger.ledger import LedgerUnavailableError, NewerLedgerError

logger = logging.getLogger(__name__)

IDENTITY = 7
"""The migration that gives a SQLite ledger its id."""


def numbered_scripts(dialect: str) -> list[tuple[int, str, str]]:
    """Number, name and SQL text of each migration of a dialect, in order."""
    folder = files("xportcn_tools.ledger").joinpath("schema", dialect)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name[:3]), name, folder.joinpath(name).read_text(encoding="utf-8")) for name in names]


def statements(script: str) -> Iterator[str]:
    """The statements of a script, triggers whole (SQLite itself says where one ends)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


LONG = 100_000
"""With so many rows in the trail, a migration may take longer than a person waits without a word."""

TRAIL_ROWS = "SELECT COALESCE(MAX(sequence), 0) AS found FROM trail"


OTHERS = "another process may be bringing it up to date"


class Migrating:
    """What a ledger's migrations are at. `words`: for a call that meets them; empty while none runs."""

    words = ""

    def at(self, number: int, newest: int, rows: int) -> None:
        """Before each migration. `rows`: of the ledger's trail."""
        level = logging.WARNING if rows > LONG else logging.INFO
        logger.log(level, "the ledger of %d trail rows is brought to version %d of %d", rows, number, newest)
        self.words = (
            f"it is being brought up to date for this program (version {number} of {newest}); try again when "
            "that is done, which can take minutes"
        )


def newer(version: int, newest: int) -> str:
    """Why a ledger of a newer program is not touched."""
    return f"the ledger has version {version}, this program knows {newest}: use the newer program"


def refuse_newer(connection: sqlite3.Connection) -> None:
    """Read the version and nothing else.

    Raises:
        NewerLedgerError: a newer program has migrated it further.
    """
    newest = numbered_scripts("sqlite")[-1][0]
    version = _version(connection)
    if version > newest:
        raise NewerLedgerError(newer(version, newest))


def migrate(
    connection: sqlite3.Connection, now: str, identified: Callable[[], None], migrating: Migrating
) -> None:
    """Bring the ledger to this program's version, in one transaction; a long ledger step by step, so that
    what is done stays done. `identified` is called in the transaction that gives the ledger its id.

    Raises:
        NewerLedgerError: a newer program has migrated it further. LedgerUnavailableError: it is locked.
    """
    scripts = numbered_scripts("sqlite")
    newest = scripts[-1][0]
    if _version(connection) == newest:
        return
    (usual,) = connection.execute("PRAGMA cache_size").fetchone()
    connection.execute("PRAGMA cache_size = -200000")  # KiB: a long index is built in memory, not on the disk
    try:
        connection.execute("BEGIN IMMEDIATE")
        for number, name, script in scripts:
            refuse_newer(connection)
            version = _version(connection)  # another process may have been faster
            if number <= version:
                continue
            rows = connection.execute(TRAIL_ROWS).fetchone()["found"] if version else 0
            if version:
                migrating.at(number, newest, rows)
            for statement in statements(script):
                connection.execute(statement)
            connection.execute(
                "INSERT INTO migrations (number, name, applied_at) VALUES (?, ?, ?)", (number, name, now)
            )
            if number == IDENTITY:
                identified()
            if rows > LONG:
                connection.execute("COMMIT")
                connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise LedgerUnavailableError(f"{error}: {OTHERS}") from error
        raise
    finally:
        if connection.in_transaction:  # on a full disk SQLite has rolled back itself
            connection.execute("ROLLBACK")
        connection.execute(f"PRAGMA cache_size = {usual}")
        migrating.words = ""


def _version(connection: sqlite3.Connection) -> int:
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'migrations'").fetchone()
    if known is None:
        return 0
    return connection.execute("SELECT COALESCE(MAX(number), 0) FROM migrations").fetchone()[0]

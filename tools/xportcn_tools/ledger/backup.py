"""A SQLite ledger's file as a whole: copied while servers run, and rewritten without what was erased."""

import contextlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from xportcn_tools.ledger.ledger import LedgerUnavailableError
from xportcn_tools.ledger.read_only import reading_file, sqlite_connection
from xportcn_tools.ledger.verification import Verdict, verify_ledger


def back_up(ledger: Path, target: Path) -> Verdict:
    """Copy the ledger to a new file of mode 0600, which needs no log beside it. What is not whole is removed.

    Raises:
        FileExistsError: the target exists. OSError: it cannot be written.
        LedgerUnavailableError: the ledger cannot be read, or the copy is damaged.
        BrokenTrailError: the copy is whole, and its trail is not.
    """
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        _copy(ledger, target)
        with reading_file(target) as reader:
            verdict = verify_ledger(reader, None, None, lambda _: None)
        with target.open("rb+") as written:
            os.fsync(written.fileno())
    except (OSError, LedgerUnavailableError):  # a broken trail's copy stays: it is as good as the ledger
        with contextlib.suppress(OSError):
            target.unlink()
        raise
    return verdict


def fold_in(ledger: Path) -> None:
    """Rewrite the file, and its log into it: what was erased or replaced is in neither any more.

    Raises:
        LedgerUnavailableError: another program is reading or writing it for longer than a few seconds; or an
            order is being sent, whose outcome could not be recorded as long as this takes.
    """
    sending = "state = 'sending' AND lease_until > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
    try:
        with closing(sqlite3.connect(ledger, isolation_level=None)) as connection:
            if connection.execute(f"SELECT 1 FROM orders WHERE {sending}").fetchone():  # noqa: S608 - ours
                raise LedgerUnavailableError("an order is being sent")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("VACUUM")
            (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        raise LedgerUnavailableError(str(error)) from error
    if busy:
        raise LedgerUnavailableError("another program is reading the ledger")


def _copy(ledger: Path, target: Path) -> None:
    try:
        with closing(sqlite_connection(ledger)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # all in this one file
            damage = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if damage != "ok":
                raise LedgerUnavailableError(f"the ledger is damaged: {damage}")
    except sqlite3.Error as error:
        raise LedgerUnavailableError(f"the ledger cannot be copied: {error}") from error

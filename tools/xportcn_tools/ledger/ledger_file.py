"""The ledger's file before SQLite opens it: its one name, its mode, and who it is."""

import contextlib
import os
import re
import sqlite3
import time
from pathlib import Path

from xportcn_tools.ledger.ledger import LedgerUnavailableError


def one_file(path: Path) -> Path:
    """The file behind a path, made with mode 0600 if it is missing; a symbolic link is followed.

    Raises:
        LedgerUnavailableError: it has a second name.
    """
    file = Path(os.path.realpath(path))
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made by us first, so that nobody else can read it at any moment. One that exists is not opened:
    # closing it again would give up every lock that this process has on it (POSIX), and another
    # process, leaving, could then delete the log that a ledger of this process goes on writing to.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    found = second_name(file)
    if found:
        raise LedgerUnavailableError(f"{found[0]}; {found[1]}")
    return file


def second_name(file: Path) -> tuple[str, str] | None:
    """By which other name this file can be opened, and what to do: SQLite would keep a log for each name, and
    what one name has committed would be missing under the other.
    """
    if file.stat().st_nlink > 1:
        return (
            f"{file} has a second name (a hard link), and each name would have a log of its own",
            "remove the other name, or set XPORTCN_LEDGER to a copy of the file, and preview again",
        )
    if os.path.ismount(file) or _is_mount_point(file):
        return (
            f"{file} is mounted as a single file, and its log would stay outside the mount",
            "mount the folder that it is in instead",
        )
    return None


def _is_mount_point(file: Path) -> bool:
    """On Linux also where it was mounted from the same disk, which looks the same as any file."""
    with contextlib.suppress(OSError):
        place = re.sub(rb"[\\\s]", lambda blank: b"\\%03o" % ord(blank[0]), os.fsencode(file))
        table = Path("/proc/self/mountinfo").read_bytes()
        return any(line.split(b" ", 5)[4] == place for line in table.splitlines())
    return False


def identity_of(file: Path) -> tuple[int, int]:
    """Device and inode."""
    status = file.stat()
    return status.st_dev, status.st_ino


def write_ahead(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Switch the log on. Two that do so at once are locked out at once: here SQLite does not wait."""
    until = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return

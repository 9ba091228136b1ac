"""The ledger, looked at and left as it is: never made, never migrated, its mode never changed."""

import os
import shutil
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from xportcn_server.doctor.check import Check, fault, ok, warning
from xportcn_server.doctor.check_copies import check_copies
from xportcn_server.doctor.check_postgres import check_postgres
from xportcn_server.doctor.ledger_state import (
    PAUSED,
    UNKNOWN,
    WHOLE_BYTES,
    judged_pause,
    judged_rows,
    judged_unknown,
    judged_version,
)
from xportcn_server.settings.loaded import Loaded
from xportcn_tools.ledger import witness
from xportcn_tools.ledger.ledger_file import second_name
from xportcn_tools.ledger.migrations import numbered_scripts
from xportcn_tools.ledger.read_only import sqlite_connection
from xportcn_tools.ledger.sqlite import text_of

BYTES_FAULT = 10 * 2**20
BYTES_WARNING = 200 * 2**20


def check_ledger(loaded: Loaded, *, whole: bool = False) -> list[Check]:
    """The ledger that the settings name. `whole`: each page and row of it, however large it is."""
    settings = loaded.settings
    if "ledger" in loaded.broken:
        return [warning("ledger", "not looked at", "correct XPORTCN_LEDGER, then call doctor again")]
    if settings.ledger_url:
        return check_postgres(settings.ledger_url, whole=whole)
    return list(_check_file(Path(os.path.realpath(settings.ledger)), whole=whole))


def _check_file(path: Path, *, whole: bool) -> Iterator[Check]:
    try:
        status = path.stat()
    except FileNotFoundError:
        status = None
    except OSError as error:
        yield fault(
            "ledger", f"{path}: {error.strerror}", "set XPORTCN_LEDGER to a file in a folder of yours"
        )
        return
    yield from _place(path, exists=status is not None)
    yield _witness()
    if status is None:
        yield ok("ledger", f"{path} does not exist yet; the first start makes it")
        return
    if not stat.S_ISREG(status.st_mode):
        yield fault("ledger", f"{path} is not a file", "set XPORTCN_LEDGER to the path of a file")
        return
    other_name = second_name(path)
    if other_name:
        yield fault("ledger", *other_name)
    yield _mode(path, status.st_mode)
    yield from _content(path, whole=whole)


def _witness() -> Check:
    """Where the server remembers the end of the trail."""
    try:
        place = witness.folder()
        nearest = _nearest(place / "any")
        with tempfile.TemporaryFile(dir=nearest):
            return ok("ledger witness", f"in {place}")
    except OSError as error:
        return warning(
            "ledger witness",
            f"none can be kept ({error.strerror or error}): a copied or restored ledger is not recognised, so"
            " previews older than the server's process are void",
            "set XDG_STATE_HOME to a folder that lasts and that this user may write to",
        )


def _nearest(path: Path) -> Path:
    """The folder above that exists: the server makes those that are missing."""
    return next(folder for folder in path.parents if folder.exists())


def _place(path: Path, *, exists: bool) -> Iterator[Check]:
    folder = _nearest(path)
    try:
        # By trying: modes do not bind an administrator, nor do they tell of a read-only disk.
        with tempfile.TemporaryFile(dir=folder):
            pass
        if exists:
            os.close(os.open(path, os.O_RDWR))
    except OSError as error:
        yield fault(
            "ledger writable",
            f"{path if exists else folder} cannot be written: {error.strerror}",
            f"make {folder} and what is in it writable for this user, or set XPORTCN_LEDGER to another path",
        )
        return
    yield ok("ledger writable", f"in {folder}")
    free = shutil.disk_usage(folder).free
    found = f"{free // 2**20:,} MiB free in {folder}"
    if free < BYTES_FAULT:
        yield fault("ledger space", found, "free some space: without it no order can be recorded, or sent")
    elif free < BYTES_WARNING:
        yield warning("ledger space", found, "free some space before the ledger runs out of it")
    else:
        yield ok("ledger space", found)


def _mode(path: Path, mode: int) -> Check:
    if sys.platform == "win32":
        return ok("ledger mode", "kept by Windows' own permissions")
    bits = stat.S_IMODE(mode)
    if bits & 0o077:
        found = f"{bits:04o}: other users of this machine may read or write names, addresses and orders"
        return warning("ledger mode", found, f"chmod 600 {path}")
    return ok("ledger mode", f"{bits:04o}")


def _content(path: Path, *, whole: bool) -> Iterator[Check]:
    try:
        with closing(sqlite_connection(path)) as connection:
            yield from _judged(path, connection, whole=whole)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            yield fault("ledger", f"{path} is locked by another program", "end the program that holds it")
        else:
            yield fault("ledger", f"{path} cannot be read: {error}", "make it readable for this user")
    except (sqlite3.DatabaseError, OSError) as error:
        yield fault(
            "ledger",
            f"{path} is damaged or not a ledger: {error}",
            "keep the file, restore your latest backup beside it, and look your latest orders up upstream",
        )


def _judged(path: Path, connection: sqlite3.Connection, *, whole: bool) -> Iterator[Check]:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    size = path.stat().st_size
    if whole or size <= WHOLE_BYTES:
        damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if damage != "ok":
            raise sqlite3.DatabaseError(damage)
        yield ok("ledger file", "each of its pages is whole")
    else:
        found = f"{size // 2**20:,} MiB, too many to look at each of its pages"
        yield ok("ledger file", found, "`xportcn-mcp doctor --whole` does, and takes its time")
    if "migrations" not in tables:
        if tables:
            step = "set XPORTCN_LEDGER to another path: this file is not for this program to write to"
            yield fault("ledger", f"{path} is a database of something else", step)
        else:
            yield ok("ledger", f"{path} is empty; the first start sets it up")
        return
    version = connection.execute("SELECT COALESCE(MAX(number), 0) FROM migrations").fetchone()[0]
    newest = numbered_scripts("sqlite")[-1][0]
    yield judged_version(str(path), version, newest)
    if "orders" in tables:
        yield judged_unknown([row[0] for row in connection.execute(UNKNOWN)])
    if "pause" in tables:
        yield judged_pause([row[0] for row in connection.execute(PAUSED)])
    if version == newest:
        yield from check_copies(path, connection)
        connection.row_factory = sqlite3.Row
        connection.text_factory = text_of
        yield judged_rows(lambda statement: map(dict, connection.execute(statement)), size, whole=whole)

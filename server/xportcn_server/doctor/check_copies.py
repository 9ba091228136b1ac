"""Whether the ledger's file lags behind, lies where another program copies it, and has a backup."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from xportcn_server.doctor.check import Check, ok, warning
from xportcn_tools.clock import utc_now
from xportcn_tools.ledger import witness
from xportcn_tools.ledger.rows import time_text

SYNCED = {"onedrive": "OneDrive", "icloud": "iCloud", "mobile documents": "iCloud", "dropbox": "Dropbox"}
"""How the folders begin that programs keep the same on several machines, and whose they are."""

_BACKUP = "`xportcn-mcp backup FILE` makes one while servers run"


def check_copies(path: Path, connection: sqlite3.Connection) -> Iterator[Check]:
    """`connection`: reads the ledger's file at `path`, of this program's version."""
    yield _synced(path)
    yield _behind(path, connection)
    yield _backup(connection)


def _synced(path: Path) -> Check:
    for part in path.parts[:-1]:
        for beginning, owner in SYNCED.items():
            if part.casefold().startswith(beginning):
                return warning(
                    "ledger folder",
                    f"{path} is in a folder that {owner} copies: file and log may be mixed from two moments",
                    f"set XPORTCN_LEDGER to a folder that is not copied; {_BACKUP}",
                )
    return ok("ledger folder", "not one that OneDrive, iCloud or Dropbox copies")


def _behind(path: Path, connection: sqlite3.Connection) -> Check:
    last = connection.execute("SELECT sequence, at FROM trail ORDER BY sequence DESC LIMIT 1").fetchone()
    sequence, at = last or (0, "never")
    (ledger_id,) = connection.execute("SELECT ledger_id FROM identity").fetchone()
    try:
        seen = witness.read(ledger_id)
    except OSError:
        return ok("ledger copy", "not known: no witness can be read")
    log = f"{path.name}-wal"
    if seen and seen.sequence > sequence:
        return warning(
            "ledger copy",
            f"the file ends at row {sequence} ({at}), and its witness knows row {seen.sequence}: it is an"
            f" earlier copy, or it was copied without its log ({log})",
            f"put {log} beside it if you have it; else look up upstream what was ordered since",
        )
    if seen is None and sequence:
        return warning(
            "ledger copy",
            f"the file came from elsewhere: its last row is of {at}; without its log ({log}) it may be older"
            " than the ledger that it was copied from",
            "copy a ledger with `xportcn-mcp backup FILE`; look up upstream what was ordered since",
        )
    day_ago = time_text(utc_now() - timedelta(days=1))
    found = connection.execute("SELECT MAX(at) FROM trail WHERE event = 'restored'").fetchone()[0]
    if found and found > day_ago:
        return warning(
            "ledger copy",
            f"at {found} it was found to be an older copy; what was ordered since may be missing",
            "look up upstream what was ordered in that time, before the same is ordered again",
        )
    return ok("ledger copy", "the file is as its witness knows it")


def _backup(connection: sqlite3.Connection) -> Check:
    found = connection.execute(
        "SELECT sequence, at FROM trail WHERE event = 'backed_up' ORDER BY sequence DESC LIMIT 1"
    ).fetchone()
    if found is None:
        return ok("backup", "none was made", _BACKUP)
    sequence, at = found
    placed = connection.execute(
        'SELECT at FROM trail WHERE sequence > ? AND body LIKE \'%"state":"placed"%\''
        " AND event IN ('placed', 'found_by_look_up', 'resolved_by_operator') ORDER BY sequence DESC LIMIT 1",
        (sequence,),
    ).fetchone()
    if placed:
        return warning("backup", f"the last is of {at}, and an order was placed at {placed[0]}", _BACKUP)
    return ok("backup", f"the last is of {at}, and no order was placed since")

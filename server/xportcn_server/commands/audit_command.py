"""`xportcn-mcp audit`: whether the trail is whole and the tables are as it says. It needs no server."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click

from xportcn_server.commands.shared import current_settings, language, progress_bar, stop, tell
from xportcn_server.settings.settings import Settings
from xportcn_tools.ledger import witness
from xportcn_tools.ledger.audit import BrokenTrailError, Chain, last_line_of, line_of
from xportcn_tools.ledger.ledger import LedgerError
from xportcn_tools.ledger.read_only import LedgerReader, reading_database, reading_file
from xportcn_tools.ledger.verification import (
    Verdict,
    head_of,
    trail_of,
    verify_export,
    verify_ledger,
)
from xportcn_tools.wording import reworded

_SQLITE = b"SQLite format 3\x00"


@click.group()
def audit() -> None:
    """Prove the trail. Check it, export it, or print its last hash."""


@audit.command("verify")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--head", metavar="HASH", help="A last hash that you noted earlier: it must still be there.")
def audit_verify(file: Path | None, head: str | None) -> None:
    """Check the trail and the tables of the ledger. Or of FILE: an export, or a copy of a ledger."""
    head = head.strip().lower() if head else None
    try:
        verdict = _verify_file(file, head) if file else _verify_own(current_settings(), head)
    except BrokenTrailError as error:
        stop(f"broken: {error}", 1)
    except (LedgerError, OSError) as error:
        stop(error, 1)
    orders = "" if verdict.orders is None else f", {verdict.orders:,} orders as the trail has them"
    tell(
        "Whole: {rows} rows{orders_}; the last hash is {head}",
        rows=f"{verdict.rows:,}",
        orders_=orders,
        head=verdict.head,
    )
    if verdict.note:
        note = reworded(language(), verdict.note)
        tell("{note}.", note=note[0].upper() + note[1:])


@audit.command("export")
def audit_export() -> None:
    """Write the trail as JSON lines. The last line has the number of rows and the last hash."""
    out = sys.stdout.buffer  # noqa: TID251 - no line end but ours
    chain = Chain()
    try:
        with _own(current_settings()) as reader:
            for row in chain.follow(trail_of(reader)):
                out.write(line_of(row).encode())
    except BrokenTrailError as error:
        stop(f"broken: {error}; nothing behind it was written", 1)
    except LedgerError as error:
        stop(error, 1)
    out.write(last_line_of(chain.rows, chain.head).encode())


@audit.command("head")
def audit_head() -> None:
    """Print the last hash. Keep it where a person who can change the ledger cannot change it."""
    try:
        with _own(current_settings()) as reader:
            click.echo(head_of(reader))
    except LedgerError as error:
        stop(error, 1)


@contextmanager
def _own(settings: Settings) -> Generator[LedgerReader]:
    if settings.ledger_url:
        with reading_database(settings.ledger_url) as reader:
            yield reader
        return
    path = Path(settings.ledger)
    if not path.is_file():
        stop(f"there is no ledger at {path}", 1)
    with reading_file(path) as reader:
        yield reader


def _verify_own(settings: Settings, head: str | None) -> Verdict:
    seen = None
    with _own(settings) as reader:
        if not settings.ledger_url and reader.has("identity"):
            # Read before the snapshot below: what it knows was committed by then.
            ledger_id = str(next(reader.stream("SELECT ledger_id FROM identity"))["ledger_id"])
            seen = witness.read(ledger_id)
    with _own(settings) as reader:
        return _with_bar(reader, seen, head)


def _verify_file(file: Path, head: str | None) -> Verdict:
    with file.open("rb") as opened:
        if opened.read(len(_SQLITE)) != _SQLITE:
            opened.seek(0)
            with progress_bar("Checking", file.stat().st_size) as progress:
                return verify_export(opened, head, progress)
    with reading_file(file) as reader:
        return _with_bar(reader, None, head)


def _with_bar(reader: LedgerReader, seen: witness.Witness | None, head: str | None) -> Verdict:
    statement = "SELECT (SELECT COUNT(*) FROM trail) + (SELECT COUNT(*) FROM orders) AS found"
    found = int(next(reader.stream(statement))["found"])
    with progress_bar("Checking", found) as progress:
        return verify_ledger(reader, seen, head, progress)

"""`audit verify`, from the first row of a ledger or an export to the verdict."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields

from xportcn_tools.ledger.audit import (
    COMPARABLE,
    LOST_ORDERS,
    BrokenTrailError,
    Chain,
    check_order,
    export_rows,
    tables_statement,
)
from xportcn_tools.ledger.read_only import LedgerReader, values_of
from xportcn_tools.ledger.trail import GENESIS, TrailRow
from xportcn_tools.ledger.witness import Witness

OLDER_TABLES = "the tables of a ledger of an earlier program have no seals and were not compared"

Progress = Callable[[int], None]
"""Hears how many more rows (of a ledger) or bytes (of an export) are done."""


@dataclass(frozen=True)
class Verdict:
    """All is whole. `orders`: compared with the trail; `None` where there was no table to compare."""

    rows: int
    head: str
    orders: int | None
    note: str = ""


def trail_of(reader: LedgerReader) -> Iterator[TrailRow]:
    """Oldest first."""
    names = ", ".join(each.name for each in fields(TrailRow))
    for row in reader.stream(f"SELECT {names} FROM trail ORDER BY sequence"):  # noqa: S608 - ours
        yield TrailRow(*values_of(row))


def head_of(reader: LedgerReader) -> str:
    """The hash of the last row."""
    found = list(reader.stream("SELECT hash FROM trail ORDER BY sequence DESC LIMIT 1"))
    return str(found[0]["hash"]) if found else GENESIS


def verify_ledger(
    reader: LedgerReader, witness: Witness | None, head: str | None, progress: Progress
) -> Verdict:
    """The trail by itself, then against the tables, the witness, and a hash that was noted elsewhere.

    Raises:
        BrokenTrailError: the first break. LedgerUnavailableError: it cannot be read.
    """
    chain = Chain()
    for _ in chain.follow(trail_of(reader)):
        progress(1)
    _check_end(reader, chain, witness, head)
    version = next(reader.stream("SELECT COALESCE(MAX(number), 0) AS version FROM migrations"))["version"]
    if version < COMPARABLE:
        return Verdict(chain.rows, chain.head, None, OLDER_TABLES)
    orders = 0
    for row in reader.stream(tables_statement()):
        check_order(values_of(row))
        orders += 1
        progress(1)
    for lost in reader.stream(LOST_ORDERS):
        raise BrokenTrailError(
            f"row {lost['sequence']} of the trail is of order {lost['subject']}, and the table has no such "
            "order, or has it as it was before"
        )
    if orders != chain.events["claimed"]:
        raise BrokenTrailError(f"the trail has {chain.events['claimed']} orders, the table {orders}")
    approvals = chain.events["approved"] - chain.events["approval_withdrawn"]
    for table, recorded in (("approvals", approvals), ("pause", int(chain.paused))):
        found = next(reader.stream(f"SELECT COUNT(*) AS found FROM {table}"))["found"]  # noqa: S608 - ours
        if found != recorded:
            raise BrokenTrailError(
                f"the table {table} has {found} rows, by the trail it should have {recorded}"
            )
    return Verdict(chain.rows, chain.head, orders)


def verify_export(lines: Iterable[bytes], head: str | None, progress: Progress) -> Verdict:
    """As `verify_ledger`, for the lines of an export, which knows no tables and no witness."""
    chain = Chain()
    known = head in (None, GENESIS)

    def heard() -> Iterator[bytes]:
        for line in lines:
            progress(len(line))
            yield line

    for row in chain.follow(export_rows(heard(), lambda: (chain.rows, chain.head))):
        known = known or row.hash == head
    if not known:
        raise BrokenTrailError(_no_row(head, chain))
    return Verdict(chain.rows, chain.head, None)


def _check_end(reader: LedgerReader, chain: Chain, witness: Witness | None, head: str | None) -> None:
    if witness and witness.sequence > chain.rows:
        raise BrokenTrailError(
            f"the trail was cut off: it ends at row {chain.rows}, and its witness knows row "
            f"{witness.sequence}"
        )
    if witness and witness.sequence:
        (row,) = reader.stream("SELECT hash FROM trail WHERE sequence = ?", witness.sequence)
        if row["hash"] != witness.hash:
            raise BrokenTrailError(
                f"row {witness.sequence} of the trail is not the one that its witness knows"
            )
    if head not in (None, GENESIS) and not any(reader.stream("SELECT 1 FROM trail WHERE hash = ?", head)):
        raise BrokenTrailError(_no_row(head, chain))


def _no_row(head: str | None, chain: Chain) -> str:
    return f"no row of the trail has the hash {head}: it was cut off at row {chain.rows}, or rewritten"

"""What a ledger says of itself, whichever driver it belongs to: version, open orders, damaged rows."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from xportcn_server.doctor.check import Check, fault, ok, warning
from xportcn_tools.ledger.ledger import COUNTING_STATES
from xportcn_tools.ledger.rows import UnreadableRowError, order_of, preview_of

NAMED_ORDERS = 5
PAUSED = "SELECT since FROM pause"
UNKNOWN = (
    "SELECT out_order_id FROM orders WHERE realm IN ('sandbox', 'real') AND state = 'unknown'"
    " ORDER BY created_at DESC"
)

WHOLE_BYTES = 64 * 2**20
"""A ledger that is larger is looked through as a whole only with `doctor --whole`: it takes minutes."""

NEWEST = 1000
"""So many orders of each realm are read in any case, with their previews."""

Table = Literal["orders", "previews"]

_NEWEST = " UNION ALL ".join(
    f"SELECT * FROM (SELECT * FROM orders WHERE realm = '{realm}' ORDER BY created_at DESC LIMIT {NEWEST})"  # noqa: S608
    f" AS newest_{realm}"
    for realm in ("sandbox", "real")
)


def rows_statement(table: Table, *, whole: bool) -> str:
    """Reads a table's rows: all, or those of the newest orders."""
    if whole:
        return f"SELECT * FROM {table}"  # noqa: S608 - ours
    if table == "orders":
        return _NEWEST
    return f"SELECT * FROM previews WHERE preview_id IN (SELECT preview_id FROM ({_NEWEST}) AS newest)"  # noqa: S608


def judged_pause(since: list[str]) -> Check:
    """`since`: what `PAUSED` finds."""
    if not since:
        return ok("pause", "none: orders can be placed")
    return warning(
        "pause", f"the owner has paused since {since[0]}", "`xportcn-mcp resume` lets orders leave"
    )


def judged_version(place: str, version: int, newest: int) -> Check:
    """A ledger's version against this program's."""
    if version > newest:
        found = f"{place} has version {version}, this program knows {newest}"
        return fault("ledger", found, "use the newer program: this one does not touch the ledger")
    if version < newest:
        return ok("ledger", f"{place}, version {version}; the next start brings it to {newest}")
    return ok("ledger", f"{place}, version {version}")


def judged_unknown(references: list[str]) -> Check:
    """Orders that may exist: they block their like and count against the caps until a person ends them."""
    if not references:
        return ok("unknown orders", "none")
    named = ", ".join(references[:NAMED_ORDERS]) + (", ..." if len(references) > NAMED_ORDERS else "")
    return warning(
        "unknown orders",
        f"{len(references)} of unknown outcome: {named}",
        f"look upstream whether it exists, then `xportcn-mcp orders resolve {references[0]}`"
        " with `--placed ID` or `--absent`",
    )


def judged_rows(rows_of: Callable[[str], Iterable[Mapping[str, Any]]], size: int, *, whole: bool) -> Check:
    """Whether rows can be read. `rows_of`: what a statement finds, of this program's version. `size`: of the
    ledger, in bytes. `whole`: all of them, however many.
    """
    whole = whole or size <= WHOLE_BYTES
    damaged: list[str] = []
    tables: tuple[tuple[Callable[[Mapping[str, Any]], object], Table], ...]
    tables = ((order_of, "orders"), (preview_of, "previews"))
    for read, table in tables:
        for row in rows_of(rows_statement(table, whole=whole)):
            try:
                read(row)
            except UnreadableRowError as error:
                damaged.append(str(error))
    if not damaged and whole:
        return ok("ledger rows", "every order and preview can be read")
    if not damaged:
        found = f"the newest {NEWEST} orders and their previews can be read; the others were not looked at"
        return ok("ledger rows", found, "`xportcn-mcp doctor --whole` looks at all of them")
    more = f"; {len(damaged) - NAMED_ORDERS} more" if len(damaged) > NAMED_ORDERS else ""
    return fault(
        "ledger rows",
        "; ".join(damaged[:NAMED_ORDERS]) + more,
        "keep a copy of the ledger, look these orders up upstream, and mend the rows by a backup;"
        f" until then those that are {', '.join(COUNTING_STATES)} still count against the caps",
    )

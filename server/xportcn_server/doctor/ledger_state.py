"""What a ledger says of itself, whichever driver it belongs to: version, open orders, damaged rows."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from xportcn_server.doctor.check import Check, fault, ok, warning
from xportcn_tools.ledger.ledger import COUNTING_STATES
from xportcn_tools.ledger.rows import UnreadableRowError, order_of, preview_of

NAMED_ORDERS = 5
PAUSED = "SELECT since FROM pause"


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


def judged_rows(rows_of: Callable[[Literal["orders", "previews"]], Iterable[Mapping[str, Any]]]) -> Check:
    """Whether every row can be read. `rows_of`: those of a table, of this program's version."""
    damaged: list[str] = []
    for read, found in ((order_of, rows_of("orders")), (preview_of, rows_of("previews"))):
        for row in found:
            try:
                read(row)
            except UnreadableRowError as error:
                damaged.append(str(error))
    if not damaged:
        return ok("ledger rows", "every order and preview can be read")
    more = f"; {len(damaged) - NAMED_ORDERS} more" if len(damaged) > NAMED_ORDERS else ""
    return fault(
        "ledger rows",
        "; ".join(damaged[:NAMED_ORDERS]) + more,
        "keep a copy of the ledger, look these orders up upstream, and mend the rows by a backup;"
        f" until then those that are {', '.join(COUNTING_STATES)} still count against the caps",
    )

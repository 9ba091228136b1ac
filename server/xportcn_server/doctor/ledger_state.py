"""What a ledger says of itself, whichever driver it belongs to: its version, and the orders left open."""

from xportcn_server.doctor.check import Check, fault, ok, warning

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

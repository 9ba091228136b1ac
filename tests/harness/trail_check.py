"""The trail of a test's ledger, walked along as `audit verify` does."""

from collections.abc import Iterable

from xportcn_tools.ledger.audit import BrokenTrailError, Chain
from xportcn_tools.ledger.trail import TrailRow


def first_break(rows: Iterable[TrailRow]) -> int | None:
    """Which row, from 1, is not the one that belongs there; `None` where all are."""
    chain = Chain()
    try:
        for _ in chain.follow(iter(rows)):
            pass
    except BrokenTrailError:
        return chain.rows + 1
    return None

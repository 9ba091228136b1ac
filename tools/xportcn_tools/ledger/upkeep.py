"""What the owner does with a ledger as a whole: the seam for it, beside `Ledger`'s for orders."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from xportcn_tools.ledger.trail import TrailRow


@dataclass(frozen=True)
class Pause:
    """The owner has paused: no create leaves. `since`: UTC. `reason`: the owner's words, or empty."""

    since: datetime
    reason: str


class Upkeep(Protocol):
    """Every method raises `LedgerUnavailableError` where the ledger cannot be read or written."""

    async def trail(self) -> list[TrailRow]:
        """All rows, oldest first."""
        ...

    async def backed_up(self) -> None:
        """Note in the trail that a backup was made."""
        ...

    async def paused(self) -> Pause | None: ...

    async def pause(self, reason: str) -> None:
        """No claim succeeds from now on, of whichever realm, caller or process, until `resume`."""
        ...

    async def resume(self) -> bool:
        """Let creates leave again; whether it was paused."""
        ...

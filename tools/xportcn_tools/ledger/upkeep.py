"""What is done with a ledger beside ordering, by its owner and by what reads upstream: the seam for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from xportcn_tools.ledger.trail import TrailRow
from xportcn_tools.upstream_state import Reading, VendorMessage


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

    async def erase(self, order_key: str) -> bool:
        """Erase the personal data of an order that has ended; whether there was any."""
        ...

    async def erase_old(self, retention: timedelta) -> int:
        """The same for orders that are older, and for previews that became none: how many. A few at a time,
        so that other writers get their turn; 0: nothing is left.
        """
        ...

    async def paused(self) -> Pause | None: ...

    async def pause(self, reason: str) -> None:
        """No claim succeeds from now on, of whichever realm, caller or process, until `resume`."""
        ...

    async def resume(self) -> bool:
        """Let creates leave again; whether it was paused."""
        ...

    async def keep_reading(self, order_key: str, reading: Reading) -> None:
        """What the upstream says of an order, instead of what it said before. No part of the trail."""
        ...

    async def keep_message(self, order_key: str, message: VendorMessage) -> None:
        """Beside the order, with the newest of those before it. No part of the trail. Of an order whose
        personal data is erased, without its text.
        """
        ...

    async def messages(self, order_key: str) -> tuple[VendorMessage, ...]:
        """The newest messages about an order, newest first."""
        ...

"""A part of the ledger's seam: a person's answers to previews, and visits of the page."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from xportcn_tools.ledger.ledger import DayUsage, StoredPreview
    from xportcn_tools.order import ShownPreview

ApprovedBy = Literal["operator", "page"]
"""Where a person said yes outside the conversation: in the terminal or on the page."""

DeclinedIn = Literal["form", "operator", "page"]
"""Where a person said no."""


@dataclass(frozen=True)
class Visitor:
    """Whose previews and orders a session of the page shows; `None`: the owner's, who sees everybody's."""

    caller: str | None


@dataclass(frozen=True)
class SignIn:
    """A one-time code for the page, by its SHA-256. `opened`: a browser has been started with it, so the page
    counts as open from now on, and not only from its first request.
    """

    code_digest: str
    visitor: Visitor
    expires_at: datetime
    opened: bool = False


@dataclass(frozen=True)
class Bought:
    """A placed order, with what was approved. `created_at`: its claim, UTC."""

    out_order_id: str
    created_at: datetime
    shown: "ShownPreview"

    @property
    def goods(self) -> set[tuple[str, str]]:
        return {line.goods for line in self.shown.lines}


class Approvals(Protocol):
    """Every method raises `LedgerUnavailableError` where the ledger cannot be read or written."""

    async def preview_by_code(self, approval_code: str) -> "StoredPreview | None":
        """For the operator, who sees every caller's previews."""
        ...

    async def waiting(self) -> "list[StoredPreview]":
        """Previews that are neither expired, void since a restore nor approved, newest first; none whose
        number an order has.
        """
        ...

    async def bought(self, caller: str, goods: Collection[tuple[str, str]]) -> list[Bought]:
        """The newest placed order of each of these goods (`Line.goods`) among the caller's newest
        (`LOOKED_BACK`); newest first.
        """
        ...

    async def approve(self, preview: "StoredPreview", method: ApprovedBy = "operator") -> bool:
        """Record the yes; whether it is the first. A second one changes nothing."""
        ...

    async def decline(self, preview: "StoredPreview", method: DeclinedIn) -> bool:
        """Record the no, unless it was ordered; the token stays good. It ends the creates that wait for an
        answer or are about to be sent, takes back a yes, and stands until the next one.
        """
        ...

    async def used(self, caller: str) -> "DayUsage":
        """What the owner's current day holds of this caller's orders, and of all callers'."""
        ...

    async def let_in(self, sign_in: SignIn) -> None:
        """Keep a one-time code for the page."""
        ...

    async def sign_in(
        self, code_digest: str, session_of: Callable[[Visitor], str], expires_at: datetime
    ) -> Visitor | None:
        """Exchange a code, which is then spent, for a session; `None` where there is no such code.

        `session_of` gives the digest of the session, once the code has said whose it is.
        """
        ...

    async def visitor(self, session_digest: str) -> Visitor | None:
        """Who has this session, which is seen now; `None` where there is none, or its time is over."""
        ...

"""The ledger's seam: its records, and what a driver can do. The drivers are `sqlite.py` and `postgres.py`.

A ledger is opened for one realm, the sandbox's orders or the real ones, and sees no other. Every method
that writes an order is one transaction with its trail row; every method that reads orders first ends those
whose sender is gone. Times are aware UTC, money is integer fen. A driver raises `LedgerUnavailableError`
where the ledger cannot be read or written; after it, a write has not happened as far as the driver can know.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import Generic, Literal, Protocol, TypeAlias, TypeVar

from xportcn_tools.ledger.approvals import Approvals, ApprovedBy
from xportcn_tools.ledger.order_query import OrderQuery, State, StateTotal
from xportcn_tools.ledger.upkeep import Pause, Upkeep
from xportcn_tools.order import OrderRequest, Pinned, ShownPreview
from xportcn_tools.upstream_state import Reading

T = TypeVar("T")

Realm = Literal["sandbox", "real"]
Sent = Literal["no", "yes", "unknown"]

COUNTING_STATES: tuple[State, ...] = ("sending", "placed", "unknown")
"""States that count against the caps: an order whose outcome is open may exist."""


class LedgerError(Exception): ...


class LedgerUnavailableError(LedgerError):
    """It cannot be read or written now."""


class NewerLedgerError(LedgerError):
    """It was written by a newer version of this program: this one must not touch it."""


@dataclass(frozen=True)
class StoredPreview:
    """A preview as it was shown. `token_digest` is the SHA-256 of the token, which is kept nowhere.

    `terms`: the deal, in words by name; they are compared as a whole. `trail_seen`: the trail's last row when
    it was made, so that it showed every order whose last change is no later. `salt`: of its seals.
    `declined_at`: the last no, UTC.
    """

    preview_id: str
    token_digest: str
    approval_code: str
    caller: str
    out_order_id: str
    created_at: datetime
    expires_at: datetime
    payable_fen: int
    ship_to: str
    request: OrderRequest
    pinned: Pinned
    terms: dict[str, str]
    shown: ShownPreview
    trail_seen: int
    salt: str = field(default_factory=lambda: token_hex(16), repr=False)
    declined_at: datetime | None = None

    def has_number_of(self, other: "StoredPreview") -> bool:
        """Whether both have one `out_order_id`, so that one of them alone can become an order."""
        return self.out_order_id.lower() == other.out_order_id.lower()


@dataclass(frozen=True)
class OrderRecord:
    """An attempt to order, from its claim on."""

    order_key: str
    preview_id: str
    caller: str
    out_order_id: str
    state: State
    day: str
    payable_fen: int
    ship_to: str
    approval_method: str
    approval_verified: bool
    created_at: datetime
    updated_at: datetime
    lease_until: datetime
    order_ids: tuple[str, ...] = ()
    request_id: str | None = None
    request_sent: Sent = "unknown"
    problem_code: str | None = None
    problem_text: str | None = None


@dataclass(frozen=True)
class Receipt:
    """An order, its preview where that is still kept, and what the upstream said last."""

    order: OrderRecord
    preview: StoredPreview | None
    reading: Reading | None = None


@dataclass(frozen=True)
class DayUsage:
    """What the owner's current day holds already of the orders that count: the caller's sum (fen) and number,
    and the sum of all callers (fen). `ends_at`: UTC.
    """

    fen: int
    orders: int
    total_fen: int
    ends_at: datetime


@dataclass(frozen=True)
class NewOrder:
    """What a claim needs beside its preview."""

    order_key: str
    preview: StoredPreview
    approval_method: str
    approval_verified: bool


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended, or that nobody can tell."""

    state: State
    request_sent: Sent
    order_ids: tuple[str, ...] = ()
    request_id: str | None = None
    problem_code: str | None = None
    problem_text: str | None = None


@dataclass(frozen=True)
class Claimed:
    """The attempt is recorded as `sending`, on disk: this caller, and no other, may send."""

    order: OrderRecord


@dataclass(frozen=True)
class AlreadyClaimed:
    """The preview was claimed before."""

    order: OrderRecord


@dataclass(frozen=True)
class ReferenceUsed:
    """Another attempt has this `out_order_id`."""


@dataclass(frozen=True)
class EarlierUnknown:
    """The same goods to the same place or person are in another order (`Standing.twin`)."""

    order: OrderRecord


@dataclass(frozen=True)
class RuleBroken(Generic[T]):
    """The rule that the claim was given spoke against it."""

    verdict: T


@dataclass(frozen=True)
class Declined:
    """A person has said no since the preview was looked at for this claim."""


@dataclass(frozen=True)
class Expired:
    """The preview's time was over when it was claimed."""


@dataclass(frozen=True)
class Voided:
    """The ledger was copied or restored since the preview: an order of it may be missing here."""


ClaimResult: TypeAlias = (
    Claimed
    | AlreadyClaimed
    | ReferenceUsed
    | EarlierUnknown
    | Pause
    | RuleBroken[T]
    | Voided
    | Expired
    | Declined
)


@dataclass(frozen=True)
class Standing:
    """All that bears on ordering a preview, at one moment.

    `now`: UTC, by the clock that all who share the ledger go by. `attempt`: the order made of this preview;
    where there is one, nothing else is looked up. `approved`: where a person's yes was recorded. `used`: on
    the owner's day. `reference_used`: an attempt of any caller has this `out_order_id`. `page_open`: a page
    that shows this preview is open. `pause`: the owner's. `void`: this process orders nothing with it.
    `restored`: nor does any other, as the ledger was copied or restored since then.
    `twin`: what may be the same goods (`OrderRequest.may_be_same_goods`) to the same place or mobile
    (`Destination`), by the same caller, in another order that is open, or else in one that is placed and was
    not yet when this preview was made.
    """

    now: datetime
    preview: StoredPreview
    attempt: OrderRecord | None
    approved: ApprovedBy | None
    used: DayUsage
    twin: OrderRecord | None
    reference_used: bool
    page_open: bool
    pause: Pause | None
    void: bool = False
    restored: bool = False


@dataclass(frozen=True)
class Remembered:
    """What a new preview has to show. `now`: the ledger's time, UTC. `alike`: the caller's orders of the same
    goods to the same place or mobile that are open, or were placed within a day; newest first. `trail_seen`:
    the trail's last row at that moment, 0 where it has none. `used`: on the owner's current day.
    """

    now: datetime
    alike: list[OrderRecord]
    trail_seen: int
    used: DayUsage


class Ledger(Approvals, Upkeep, Protocol):
    """What the desk needs of a driver."""

    async def open(self) -> None:
        """Connect and migrate. Raises: NewerLedgerError, LedgerUnavailableError."""
        ...

    async def aclose(self) -> None: ...

    async def standing(self, token_digest: str, caller: str) -> Standing | None:
        """How things stand for the caller's preview with this token; `None` where there is none."""
        ...

    async def offer(
        self, caller: str, request: OrderRequest, made: Callable[[Remembered], StoredPreview]
    ) -> StoredPreview:
        """Keep the preview that `made` makes of what a preview of this request has to show. It runs in a
        worker thread, and again where another preview that was not ordered has the approval code of this
        one. On PostgreSQL this waits for no writer.
        """
        ...

    async def orders(self, query: OrderQuery) -> list[OrderRecord]: ...

    async def totals(self, query: OrderQuery) -> list[StateTotal]:
        """By state, over all that fit, whatever `limit` and `before`."""
        ...

    async def receipts(self, query: OrderQuery) -> list[Receipt]:
        """Orders with their previews."""
        ...

    async def listing(self, query: OrderQuery) -> tuple[list[Receipt], list[StateTotal]]:
        """`receipts` and `totals` in one trip."""
        ...

    async def knows(self, query: OrderQuery) -> bool:
        """Whether the reference is one of the caller's previews or orders, whatever the other filters say."""
        ...

    async def claim(
        self, new: NewOrder, lease_seconds: float, judge: Callable[[DayUsage], T | None]
    ) -> ClaimResult[T]:
        """One transaction: count, judge, insert as `sending`. On disk when it returns `Claimed`."""
        ...

    async def record(self, order_key: str, outcome: Outcome) -> OrderRecord:
        """The sender's own outcome, for an attempt that is `sending` or was given up as `unknown`.

        An attempt that has ended otherwise keeps its state; the contradiction goes into the trail. The same
        outcome again, after a commit of which nothing was heard, changes nothing.
        """
        ...

    async def resolve(self, order_key: str, outcome: Outcome, event: str) -> OrderRecord | None:
        """End an `unknown` order as `placed` or `absent`, by look-up or by a person.

        `None` where it is not `unknown` (any more): then nothing was changed.
        """
        ...

"""The ledger's seam: its records, and what a driver can do. The drivers are `sqlite.py` and `postgres.py`.

Every method that writes is one transaction with its trail row. Times are aware UTC, money is integer
fen. A driver raises `LedgerUnavailableError` where the ledger cannot be read or written; after it, a
write has not happened as far as the driver can know.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, Protocol, TypeVar

from xportcn_tools.ledger.trail import TrailRow

Realm = Literal["sandbox", "real"]
State = Literal["sending", "placed", "rejected", "unknown", "absent"]
Sent = Literal["no", "yes", "unknown"]

COUNTING_STATES: tuple[State, ...] = ("sending", "placed", "unknown")
"""States that count against the caps: an order whose outcome is open may exist."""

T = TypeVar("T")


class LedgerError(Exception):
    """The ledger's own failures."""


class LedgerUnavailableError(LedgerError):
    """It cannot be read or written now."""


class NewerLedgerError(LedgerError):
    """It was written by a newer version of this program: this one must not touch it."""


@dataclass(frozen=True)
class PreviewRecord:
    """A preview as it was shown. `token_digest` is the SHA-256 of the token, which is kept nowhere."""

    preview_id: str
    token_digest: str
    approval_code: str
    realm: Realm
    caller: str
    out_order_id: str
    created_at: datetime
    expires_at: datetime
    payable_fen: int
    ship_to: str
    goods_digest: str
    place_digest: str
    request: dict[str, Any]
    pinned: dict[str, Any]
    terms: dict[str, str]
    shown: dict[str, Any]


@dataclass(frozen=True)
class OrderRecord:
    """An attempt to order, from its claim on."""

    order_key: str
    preview_id: str
    realm: Realm
    caller: str
    out_order_id: str
    state: State
    day: str
    payable_fen: int
    ship_to: str
    goods_digest: str
    place_digest: str
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
class DayUsage:
    """What a caller's UTC day holds already: sum (fen) and number of the orders that count."""

    fen: int
    orders: int


@dataclass(frozen=True)
class NewOrder:
    """What a claim needs beside its preview."""

    order_key: str
    preview: PreviewRecord
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
    """The same goods to the same place are in an attempt of unknown outcome, or in one that was being sent
    when this preview was made (`Ledger.earlier_open`).
    """

    order: OrderRecord


@dataclass(frozen=True)
class Judged(Generic[T]):
    """The caller's own rule spoke against it."""

    verdict: T


@dataclass(frozen=True)
class OrderQuery:
    """Filters, all of which must hold; newest first. `caller` `None`: everybody's (for the operator)."""

    realm: Realm
    caller: str | None
    reference: str | None = None
    preview_id: str | None = None
    states: tuple[State, ...] = ()
    goods_digest: str | None = None
    place_digest: str | None = None
    since: datetime | None = None
    limit: int | None = field(default=None)


class Ledger(Protocol):
    """What the desk needs of a driver."""

    async def open(self) -> None:
        """Connect and migrate. Raises: NewerLedgerError, LedgerUnavailableError."""
        ...

    async def aclose(self) -> None: ...

    async def now(self) -> datetime:
        """UTC by the clock that all who share the ledger go by."""
        ...

    async def store_preview(self, preview: PreviewRecord) -> None: ...

    async def preview_by_token(
        self, token_digest: str, realm: Realm, caller: str
    ) -> PreviewRecord | None: ...

    async def preview_of_reference(
        self, realm: Realm, caller: str, out_order_id: str
    ) -> PreviewRecord | None:
        """The newest preview with this reference."""
        ...

    async def preview_of(self, order: OrderRecord) -> PreviewRecord | None:
        """The preview that an order was made of."""
        ...

    async def preview_by_code(self, realm: Realm, approval_code: str) -> PreviewRecord | None:
        """For the operator, who sees every caller's previews."""
        ...

    async def waiting(self, realm: Realm) -> list[PreviewRecord]:
        """Previews that are neither expired, nor ordered, nor approved; newest first."""
        ...

    async def approve(self, preview: PreviewRecord) -> None:
        """Record the operator's yes. Once is enough: a second one changes nothing."""
        ...

    async def is_approved(self, preview_id: str) -> bool:
        """Whether the operator's yes is recorded."""
        ...

    async def orders(self, query: OrderQuery) -> list[OrderRecord]: ...

    async def earlier_open(self, preview: PreviewRecord) -> OrderRecord | None:
        """What would make this order a twin: the same goods to the same place, by the same caller, in an
        order of unknown outcome, or in one that was claimed before this preview was stored and is under way.

        Two orders that were both previewed before either was claimed are meant.
        """
        ...

    async def reference_used(self, realm: Realm, out_order_id: str) -> bool:
        """Whether any attempt, whoever made it, has this reference."""
        ...

    async def usage(self, realm: Realm, caller: str) -> DayUsage:
        """Of the current UTC day."""
        ...

    async def claim(
        self, new: NewOrder, lease_seconds: float, judge: Callable[[DayUsage], T | None]
    ) -> Claimed | AlreadyClaimed | ReferenceUsed | EarlierUnknown | Judged[T]:
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

    async def settle_abandoned(self, realm: Realm) -> list[OrderRecord]:
        """Attempts left `sending` beyond their lease become `unknown`; returns these."""
        ...

    async def trail(self) -> list[TrailRow]:
        """All rows, oldest first."""
        ...

"""What an order would cost and by which terms, or why it cannot be ordered. Pure data.

All amounts are integer fen, and `goods + freight + fees - discount == payable` holds for each group and
for the whole.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from xportcn_tools.order import Pinned


@dataclass(frozen=True)
class Line:
    """A line as it will be ordered, with its item's position in the request.

    `unit_price` is `None` where the upstream gave no whole fen.
    """

    position: int
    offer_id: str
    spec_id: str | None
    sku_id: str | None
    quantity: int
    unit_price: int | None
    amount: int
    message: str | None


@dataclass(frozen=True)
class Promotion:
    promotion_id: str | None
    text: str | None
    selected: bool | None
    discount: int | None


@dataclass(frozen=True)
class Group:
    """One order to come. `unexplained_fee` is the part of `fees` that no documented field accounts for.

    `None` for trade types or promotions: the answer names none, which is unknown and not none at all.
    """

    payable: int
    goods: int
    freight: int
    fees: int
    discount: int
    unexplained_fee: int
    lines: tuple[Line, ...]
    trade_types: tuple[str, ...] | None
    promotions: tuple[Promotion, ...] | None


@dataclass(frozen=True)
class Quote:
    """What an order would cost and by which terms; the sums are over all groups."""

    groups: tuple[Group, ...]
    pinned: Pinned
    freight_by_description: tuple[str, ...]
    no_cross_border_pay: tuple[str, ...]
    promotion_not_priced: bool

    @property
    def payable(self) -> int:
        return sum(group.payable for group in self.groups)

    @property
    def goods(self) -> int:
        return sum(group.goods for group in self.groups)

    @property
    def freight(self) -> int:
        return sum(group.freight for group in self.groups)

    @property
    def fees(self) -> int:
        return sum(group.fees for group in self.groups)

    @property
    def discount(self) -> int:
        return sum(group.discount for group in self.groups)

    @property
    def unexplained_fee(self) -> int:
        return sum(group.unexplained_fee for group in self.groups)


@dataclass(frozen=True)
class Reason:
    """Why an order cannot be placed as shown; `offer_id` where it is one line's fault.

    `text` is the upstream's own words (cleaned), `message` is ours; `next_step` is what to do about it, where
    code and text do not say it.
    """

    message: str
    offer_id: str | None = None
    spec_id: str | None = None
    code: str | None = None
    text: str | None = None
    next_step: str | None = None


class UnitsUnclearError(Exception):
    """The sums close in neither unit. The text says what was tried."""


class NotOrderableError(Exception):
    """The preview cannot be ordered as shown."""

    def __init__(self, reasons: Iterable[Reason]) -> None:
        self.reasons = tuple(reasons)
        self.request_id: str | None = None
        super().__init__("; ".join(reason.message for reason in self.reasons))


@dataclass(frozen=True)
class PinRules:
    """The owner's word on trade types: allowed ones in order of preference, and whether they were set."""

    trade_types: tuple[str, ...]
    trade_types_set: bool

"""What an order would cost and by which terms, or why it cannot be ordered. Pure data.

All amounts are integer fen, and `goods + freight + fees - discount == payable` holds for each group and
for the whole.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from xportcn_tools.goods.product import NotRead, Product
from xportcn_tools.order import Line, Pinned, Promotion

Unit = Literal["fen", "yuan"]
Products = Mapping[str, Product | NotRead]
"""By offer id, as far as they were read; what nobody asked for, or was not answered in time, is absent."""


@dataclass(frozen=True)
class Group:
    """One order to come. `unexplained_fee` is the part of `fees` that no documented field accounts for.

    `stated`: the fees and discounts that the answer names and no sum needs, as it wrote them; their unit is
    not proven.
    `None` for trade types or promotions: the answer names none, which is unknown and not none at all.
    """

    payable: int
    goods: int
    freight: int
    fees: int
    discount: int
    unexplained_fee: int
    stated: str
    lines: tuple[Line, ...]
    trade_types: tuple[str, ...] | None
    promotions: tuple[Promotion, ...] | None
    seller_open_id: str | None = None


@dataclass(frozen=True)
class Quote:
    """What an order would cost and by which terms; the sums are over all groups.

    `unit`: in which the line amounts came; `None` where all are zero. `unverified_unit`: the sums close as
    fen, and every price is below 1.00 yuan: the answer may be in yuan. `products`: what names its lines.
    """

    groups: tuple[Group, ...]
    pinned: Pinned
    freight_by_description: tuple[str, ...]
    no_cross_border_pay: tuple[str, ...]
    promotion_not_priced: bool
    unverified_unit: bool
    unit: Unit | None = None
    products: Products = field(default_factory=dict[str, Product | NotRead])

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

    @property
    def stated(self) -> str:
        return ", ".join(group.stated for group in self.groups if group.stated)


@dataclass(frozen=True)
class Reason:
    """Why an order cannot be placed as shown; `offer_id` where it is one line's fault.

    `text` is the upstream's own words (cleaned), `message` is ours; `next_step` is what to do about it, where
    code and text do not say it. `lists`: what `text` names of the whole order, where it is no sentence.
    """

    message: str
    offer_id: str | None = None
    spec_id: str | None = None
    code: str | None = None
    text: str | None = None
    next_step: str | None = None
    lists: str | None = None


class UnitsUnclearError(Exception):
    """The figures prove no total. The text says why; `figures` has them, a text a group, as they came."""

    def __init__(self, why: str, figures: list[str]) -> None:
        super().__init__(why)
        self.figures = figures


MOST_REASONS = 20


class NotOrderableError(Exception):
    """The preview cannot be ordered as shown. The first 19 of many reasons are kept, and how many more."""

    def __init__(self, reasons: Iterable[Reason]) -> None:
        every = tuple(reasons)
        if len(every) > MOST_REASONS:
            rest = len(every) - MOST_REASONS + 1
            every = (*every[: MOST_REASONS - 1], Reason(f"{rest} more reasons like these"))
        self.reasons = every
        self.request_id: str | None = None
        self.products: Products = {}
        super().__init__("; ".join(reason.message for reason in self.reasons))


@dataclass(frozen=True)
class PinRules:
    """The owner's word on trade types: allowed ones in order of preference, and whether they were set."""

    trade_types: tuple[str, ...]
    trade_types_set: bool

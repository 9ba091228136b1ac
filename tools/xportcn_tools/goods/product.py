"""A product as it is known: facts that name goods and advise on quantities, and never decide a price. Pure.

Prices are list prices in fen; only a preview says what is to be paid. Texts are the seller's, cleaned.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

NotReadReason = Literal["not_found", "not_permitted", "not_confirmed", "unreadable", "no_answer"]
"""`not_confirmed`: the path answered 404 or "no such interface", which says nothing of the product."""


@dataclass(frozen=True)
class OptionValue:
    """The value of one dimension, such as 颜色: 红色. No translation is `None`."""

    name: str
    value: str
    name_translated: str | None = None
    value_translated: str | None = None


@dataclass(frozen=True)
class ProductOption:
    """One thing that can be bought. List prices in fen, where it has its own: `price`, and `single_price` for
    exactly one piece.
    """

    spec_id: str
    sku_id: str | None
    values: tuple[OptionValue, ...]
    stock: int | None = None
    price: int | None = None
    image: str | None = None
    single_price: int | None = None

    @cached_property
    def without_words(self) -> "ProductOption":
        """With ids in place of the seller's words."""
        return replace(self, values=())

    @property
    def option(self) -> str:
        """Its values as the seller wrote them: `白色 / 350ml`."""
        return " / ".join(each.value for each in self.values)

    @property
    def option_translated(self) -> str | None:
        """The same translated, value by value; `None` where no value has a translation."""
        if all(each.value_translated is None for each in self.values):
            return None
        return " / ".join(each.value_translated or each.value for each in self.values)


@dataclass(frozen=True)
class PriceTier:
    """List price in fen from this quantity of the whole offer on, its specs added up."""

    from_quantity: int
    price: int


@dataclass(frozen=True)
class Product:
    """What is known of an offer; `None` is unknown. Quantities are in `unit`s.

    `orderable`: `None` where the upstream gave no status. `options`: empty for an offer without variants,
    whose `stock` is then the only one. `single_price`: list price in fen for exactly one piece, where it
    differs.
    """

    offer_id: str
    title: str
    title_translated: str | None = None
    seller_open_id: str | None = None
    status: str | None = None
    orderable: bool | None = None
    unit: str | None = None
    min_quantity: int | None = None
    lot_size: int | None = None
    mixed_batch: bool | None = None
    stock: int | None = None
    single_price: int | None = None
    price_tiers: tuple[PriceTier, ...] = ()
    options: tuple[ProductOption, ...] = ()
    image: str | None = None
    ships_from: str | None = None

    @cached_property
    def _options_by_spec(self) -> dict[str, ProductOption]:
        return {option.spec_id: option for option in self.options}

    def option_of(self, spec_id: str | None) -> ProductOption | None:
        """The option of a spec id, whatever the case of its hex digits."""
        return self._options_by_spec.get((spec_id or "").lower())


@dataclass(frozen=True)
class NotRead:
    """Why a product could not be read, or a search, whose `offer_id` is empty.

    `code` is the upstream's own; `text` too, cleaned, or says in our words what came instead of an answer.
    """

    offer_id: str
    reason: NotReadReason
    code: str | None = None
    text: str | None = None
    request_id: str | None = None


@dataclass(frozen=True)
class FoundProduct:
    """A row of a search. `price_from`: the lowest list price, in fen."""

    offer_id: str
    title: str
    title_translated: str | None = None
    price_from: int | None = None
    min_quantity: int | None = None
    sold_last_month: int | None = None
    image: str | None = None


@dataclass(frozen=True)
class SearchPage:
    """One page of what a search found. `total`: of all pages; the upstream stops to count at 2000 (1688)."""

    products: tuple[FoundProduct, ...]
    total: int

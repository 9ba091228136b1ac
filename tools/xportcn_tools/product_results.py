"""What the tools for goods answer: a product, and rows of a search. Public, as the contract has them. Pure.

Prices are list prices. Titles, options and places are the seller's own words, cleaned.
"""

from collections.abc import Iterable, Sequence

from xportcn_tools.goods.advice import Note
from xportcn_tools.goods.product import FoundProduct, Product, ProductOption
from xportcn_tools.order import offer_url
from xportcn_tools.results import Envelope, Money, PlainProblem, Shape

MOST_OPTIONS = 40


class OptionResult(Shape):
    """One thing that can be bought: its `spec_id` is what a preview takes."""

    spec_id: str
    sku_id: str | None
    option: str
    option_translated: str | None
    stock: int | None
    price: Money | None
    image: str | None


class PriceTierResult(Shape):
    """List price from this quantity of the whole offer on."""

    from_quantity: int
    price: Money


class ProductNote(Shape):
    """Something to know before a preview, in our words."""

    code: str
    message: str


class ProductResult(Shape):
    offer_id: str
    url: str
    title: str
    title_translated: str | None
    seller_open_id: str | None
    orderable: bool | None
    status: str | None
    unit: str | None
    min_quantity: int | None
    lot_size: int | None
    mixed_batch: bool | None
    stock: int | None
    price_tiers: list[PriceTierResult]
    options: list[OptionResult]
    options_total: int
    image: str | None
    ships_from: str | None
    notes: list[ProductNote]


class FoundProductResult(Shape):
    """A row of a search. `price_from`: the lowest list price."""

    offer_id: str
    url: str
    title: str
    title_translated: str | None
    price_from: Money | None
    min_quantity: int | None
    sold_last_month: int | None
    image: str | None


class ProductEnvelope(Envelope):
    """`get_product`."""

    product: ProductResult | None = None
    problem: PlainProblem | None = None


class ProductsEnvelope(Envelope):
    """`search_products`. `total`: how many products the upstream found."""

    products: list[FoundProductResult] | None = None
    total: int | None = None
    problem: PlainProblem | None = None


def product_result(
    product: Product, options: Sequence[ProductOption], notes: Iterable[Note]
) -> ProductResult:
    """`options`: those to list, the likeliest first."""
    fields = {name: value for name, value in vars(product).items() if name in ProductResult.model_fields}
    fields |= {
        "url": offer_url(product.offer_id),
        "options": option_results(options),
        "options_total": len(product.options),
        "notes": list(notes),
    }
    return ProductResult.model_validate(fields)


def option_results(options: Sequence[ProductOption], most: int = MOST_OPTIONS) -> list[OptionResult]:
    return [OptionResult.model_validate(option) for option in options[:most]]


def found_result(found: FoundProduct) -> FoundProductResult:
    return FoundProductResult.model_validate(vars(found) | {"url": offer_url(found.offer_id)})

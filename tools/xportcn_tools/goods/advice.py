"""What a person should know of a quantity before a preview decides: minimum, lots, stock, price tiers. Pure.

Nothing here forbids anything: the vendor's minimum is no hard stop (a recorded preview of one passed where
the product said two), and a stock may have changed since.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xportcn_tools.goods.product import Product, ProductOption
from xportcn_tools.money import yuan
from xportcn_tools.upstream.clean import quoted


@dataclass(frozen=True)
class Note:
    """Advice: a code, and a sentence of ours. The unit in it is the seller's word, between 「 and 」."""

    code: str
    message: str


def list_price(product: Product, option: ProductOption | None, quantity: int) -> int | None:
    """The list price of one piece in fen, at this quantity of the whole offer; `None` where none is known.

    For exactly one piece its own price, where there is one; else the option's own; else the tier's (1688).
    Without an option it is unknown where options have prices of their own.
    """
    if quantity == 1:
        single = option.single_price if option and option.single_price is not None else product.single_price
        if single is not None:
            return single
    if option is not None and option.price is not None:
        return option.price
    if option is None and any(each.price is not None for each in product.options):
        return None
    reached = [tier.price for tier in product.price_tiers if tier.from_quantity <= quantity]
    return reached[-1] if reached else None


def valid_quantities(product: Product, quantity: int) -> tuple[int | None, int]:
    """The nearest quantities that keep minimum and lots: one up to this, if there is any, and one from it."""
    lot = product.lot_size or 1
    least = _round_up(product.min_quantity or 1, lot)
    lower = quantity // lot * lot
    return lower if lower >= least else None, max(least, _round_up(quantity, lot))


def quantity_warnings(
    product: Product, lines: Sequence[tuple[ProductOption | None, int]]
) -> tuple[Note, ...]:
    """`below_minimum`, `not_in_lots`, `low_stock` for the lines of one offer, each with its quantity.

    Minimum and lots count all of the offer's lines together (1688); stock counts each option's.
    """
    return (*_of_the_whole(product, sum(quantity for _, quantity in lines)), *_of_the_stock(product, lines))


def notes(product: Product, quantity: int | None, option: ProductOption | None = None) -> Iterator[Note]:
    """Advice on a product; with a quantity, on that quantity of it as the whole of what is bought there."""
    if product.orderable is False:
        yield Note("not_on_sale", "This offer is not on sale now, so it cannot be ordered.")
    if quantity is None:
        stocks = [each.stock for each in product.options] or [product.stock]
        if all(stock == 0 for stock in stocks):
            yield Note("sold_out", "The seller has none of it in stock now.")
        if product.min_quantity is not None and product.min_quantity > 1:
            least = _counted(product, product.min_quantity)
            yield Note("minimum", f"The minimum is {least}, all options of this offer together.")
        if product.lot_size is not None and product.lot_size > 1:
            yield Note("lot", f"It is sold in lots: a multiple of {_counted(product, product.lot_size)}.")
    else:
        yield from _of_the_whole(product, quantity)
        yield from _of_the_stock(product, [(option, quantity)])
        yield from _tiers(product, option, quantity)
    if product.mixed_batch:
        yield Note(
            "mixed_batch", "The seller has a rule for mixed batches, which may change what the minimum is."
        )
    yield Note("list_price", "Prices here are list prices; only a preview says what is to be paid.")


def _of_the_whole(product: Product, total: int) -> Iterator[Note]:
    lower, upper = valid_quantities(product, total)
    asked = _counted(product, total)
    least, lot = product.min_quantity, product.lot_size
    if least is not None and total < least:
        yield Note(
            "below_minimum",
            f"{asked} is below the minimum of {least}, which counts all options of the offer together; the "
            f"nearest quantity that fits is {upper}.",
        )
    if lot is not None and total % lot:
        fits = f"quantities that fit are {lower} and {upper}" if lower else f"quantity that fits is {upper}"
        yield Note(
            "not_in_lots",
            f"{asked} is no multiple of the lot of {lot}, which counts all options of the offer together; "
            f"the nearest {fits}.",
        )


def _of_the_stock(product: Product, lines: Sequence[tuple[ProductOption | None, int]]) -> Iterator[Note]:
    wanted: dict[ProductOption | None, int] = {}
    for option, quantity in lines:
        wanted[option] = wanted.get(option, 0) + quantity
    for option, quantity in wanted.items():
        if option is None and product.options:
            continue  # nobody has said which option's stock it would be
        stock = product.stock if option is None else option.stock
        if stock is None or quantity <= stock:
            continue
        # Beside other lines, which count towards minimum and lot, any number up to the stock may fit.
        most = valid_quantities(product, stock)[0] if len(wanted) == 1 else stock
        advice = f"; the most that fits is {most}" if most else ""
        name = f" of {_named(option)}" if option else ""
        has = f"only {_counted(product, stock)}" if stock else "none"
        yield Note("low_stock", f"The seller has {has}{name} in stock, {quantity} are asked for{advice}.")


def _tiers(product: Product, option: ProductOption | None, quantity: int) -> Iterator[Note]:
    price = list_price(product, option, quantity)
    if price is None or not product.price_tiers or (option and option.price is not None):
        return
    following = next((tier for tier in product.price_tiers if tier.from_quantity > quantity), None)
    then = ""
    if following:
        then = f"; from {following.from_quantity} on it is {yuan(following.price)} CNY"
    yield Note("tier", f"At {_counted(product, quantity)} the list price is {yuan(price)} CNY each{then}.")


def _round_up(quantity: int, lot: int) -> int:
    return -(-quantity // lot) * lot


def _counted(product: Product, quantity: int) -> str:
    return f"{quantity} {quoted(product.unit)}" if product.unit else f"{quantity}"


def _named(option: ProductOption) -> str:
    return quoted(option.option) if option.values else f"spec {option.spec_id}"

"""A quote held against what is known of its products: the unit of its prices, and its quantities. Pure.

Product data decides no price. But a factor of 100 between a price and its list price is no discount: it says
which unit the upstream's numbers are in.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from xportcn_tools.desk.quote import Products, Quote, UnitsUnclearError
from xportcn_tools.goods.advice import Note, list_price, quantity_warnings
from xportcn_tools.goods.product import Product
from xportcn_tools.money import yuan
from xportcn_tools.order import Item, Line, ShownWarning

NEAR = 3
"""How many times a price may be its list price, or a list price its price, and still agree with it: member
prices and promotions move a price this far, and another unit by 100 moves it far beyond.
"""


def held_against_list_prices(quote: Quote) -> Quote:
    """The quote: without doubt about its unit where list prices agree, with doubt where they do not.

    Raises:
        UnitsUnclearError: list prices agree with the other unit, and none with the one that closed.
    """
    lines = [line for group in quote.groups for line in group.lines]
    agrees, contradicting = False, list[str]()
    totals = _totals(lines)
    for line in lines:
        listed = _list_price(line, totals[line.offer_id], quote.products)
        if listed is None or quote.unit is None:
            continue
        each = line.unit_price
        price, full = line.amount if each is None else each * line.quantity, listed * line.quantity
        if _near(price, full):
            agrees = True
        elif _near(price * 100, full) if quote.unit == "fen" else _near(price, full * 100):
            contradicting.append(
                f"offer {line.offer_id}: {yuan(price)} CNY for {line.quantity}, if its amounts are in "
                f"{quote.unit}; by the list price {yuan(full)} CNY"
            )
    if contradicting and not agrees:
        why = f"the sums close with line amounts in {quote.unit}, and the list prices say the other unit"
        raise UnitsUnclearError(why, contradicting)
    return replace(quote, unverified_unit=bool(contradicting) or (quote.unverified_unit and not agrees))


def _near(price: int, listed: int) -> bool:
    return 0 < price <= NEAR * listed and listed <= NEAR * price


def _totals(lines: Sequence[Line]) -> Counter[str]:
    """How many pieces of each offer."""
    totals = Counter[str]()
    for line in lines:
        totals[line.offer_id] += line.quantity
    return totals


def _list_price(line: Line, total: int, products: Products) -> int | None:
    """In fen, at the whole offer's quantity (`total`); `None` where the product or its price is not known."""
    product = products.get(line.offer_id)
    if not isinstance(product, Product):
        return None
    return list_price(product, product.option_of(line.spec_id), total)


def quantity_advice(goods: Sequence[Line | Item], products: Products) -> dict[str, tuple[Note, ...]]:
    """By offer: what speaks against the quantities, with the nearest ones that fit. These are sentences of
    ours, so they have neither a product's unit nor the words of an option.
    """
    return {
        offer_id: quantity_warnings(
            product,
            [
                ((option := product.option_of(one.spec_id)) and option.without_words, one.quantity)
                for one in goods
                if one.offer_id == offer_id
            ],
        )
        for offer_id in dict.fromkeys(one.offer_id for one in goods)
        if isinstance(known := products.get(offer_id), Product) and (product := replace(known, unit=None))
    }


def warned_of_quantities(quote: Quote) -> Iterator[ShownWarning]:
    lines = [line for group in quote.groups for line in group.lines]
    for offer_id, notes in quantity_advice(lines, quote.products).items():
        for note in notes:
            yield ShownWarning(note.code, f"Offer {offer_id}: {note.message}")

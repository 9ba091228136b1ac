"""Goods as text: products, their options, and what is open about them. Complete by itself. Pure.

Sellers' words stand between 「 and 」; pictures have no place in a text.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xportcn_tools.product_results import FoundProductResult, OptionResult, ProductResult
from xportcn_tools.upstream.clean import quoted

OPTION_BYTES = 4600
"""What the list of a product's options may take, so that a hundred of them are told in under 6 kB."""

_UNKNOWN = "unknown"
_YES_NO = {True: "yes", False: "no", None: _UNKNOWN}


def product_text(product: ProductResult) -> Iterator[str]:
    yield f"Offer {product.offer_id}: {_names(product.title, product.title_translated)}"
    yield product.url
    status = f" (status {quoted(product.status)})" if product.status else ""
    seller = quoted(product.seller_open_id) if product.seller_open_id else _UNKNOWN
    place = f"; ships from {quoted(product.ships_from)}" if product.ships_from else ""
    yield f"On sale: {_YES_NO[product.orderable]}{status}; seller_open_id {seller}{place}"
    unit = quoted(product.unit) if product.unit else _UNKNOWN
    yield (
        f"Unit: {unit}; minimum: {_number(product.min_quantity)}; lot size: {_number(product.lot_size)}; "
        f"stock: {_number(product.stock)}; mixed batch: {_YES_NO[product.mixed_batch]}"
    )
    if product.price_tiers:
        tiers = "; ".join(
            f"from {tier.from_quantity}: {tier.price.amount} CNY" for tier in product.price_tiers
        )
        yield f"List price: {tiers}"
    yield from (f"Note {note.code}: {note.message}" for note in product.notes)
    if product.options:
        some = f"{len(product.options)} of {product.options_total}"
        yield f"Options listed: {some}. Each is its spec_id, what it is, stock, and list price if its own:"
        yield from options_text(product.options)
        if len(product.options) < product.options_total:
            yield "Others: call get_product with other words in option."
    elif product.options_total:
        yield f"None of its {product.options_total} options is listed."
    else:
        yield "This offer has no options: leave option and spec_id out."


def options_text(options: Sequence[OptionResult], most_bytes: int = OPTION_BYTES) -> Iterator[str]:
    """A line for each option, as many as there is room for."""
    for at, option in enumerate(options):
        price = f", {option.price.amount} CNY" if option.price else ""
        line = (
            f"- {option.spec_id} {_names(option.option, option.option_translated)} stock "
            f"{_number(option.stock)}{price}"
        )
        most_bytes -= len(line.encode()) + 1
        if most_bytes < 0:
            yield f"- and {len(options) - at} more: say more words of the option to see them"
            return
        yield line


def products_text(products: Sequence[FoundProductResult], total: int | None) -> Iterator[str]:
    if not products and total:
        yield f"No products on this page, {total} on the pages before it."
        return
    if not products:
        yield "No products found. Try fewer or other words, Chinese ones too, or other prices."
        return
    others = " For the others, call again with another page." if total and total > len(products) else ""
    yield f"Products: {len(products)} of {_number(total)}. For options and stock call get_product.{others}"
    for product in products:
        price = f"list price from {product.price_from.amount} CNY" if product.price_from else "price unknown"
        yield f"- offer {product.offer_id}: {_names(product.title, product.title_translated)}"
        yield (
            f"  {price}; minimum {_number(product.min_quantity)}; sold last month "
            f"{_number(product.sold_last_month)}; {product.url}"
        )


def open_lines_text(lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """`lines`: those of `choose_option`."""
    for line in lines:
        options = [OptionResult.model_validate(option) for option in line["options"]]
        some = f"{len(options)} of {line['options_total']} options" if options else "no options"
        yield f"Line {line['line']}, offer {line['offer_id']}, {some}{':' * bool(options)}"
        yield from options_text(options, OPTION_BYTES // min(len(lines), 5))


def sellers_text(sellers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """`sellers`: those of `several_sellers`."""
    for seller in sellers:
        name = quoted(seller["seller_open_id"]) if seller["seller_open_id"] else _UNKNOWN
        several = "lines" if len(seller["lines"]) > 1 else "line"
        yield f"Seller {name}, {several} {', '.join(map(str, seller['lines']))}:"
        yield f"preview_order {json.dumps(seller['preview_order_arguments'], ensure_ascii=False)}"


def _names(original: str, translated: str | None) -> str:
    both = translated and translated != original
    return f"{quoted(original)}{f' = {quoted(translated)}' if both and translated else ''}"


def _number(value: int | None) -> str:
    return _UNKNOWN if value is None else str(value)

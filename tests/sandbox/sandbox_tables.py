"""The tables of docs/sandbox.md: what the sandbox sells, and how its queries fail."""

import unicodedata

from xportcn_server.sandbox.catalogue import CATALOGUE, Bilingual, Offer
from xportcn_server.sandbox.faults import FAULTS, QUERIES
from xportcn_tools.money import yuan


def offers_as_markdown() -> str:
    """A row for each offer, by seller."""
    lines = ["| offer | title | options | list price | what is special |", "|---|---|---|---|---|"]
    seller = None
    for offer in sorted(CATALOGUE.values(), key=lambda each: each.seller.open_id):
        if offer.seller is not seller:
            seller = offer.seller
            lines.append(f"| | **{seller.name}** `{seller.open_id}` | | | |")
        lines.append(_row(offer))
    return "\n".join(lines)


def faults_as_markdown() -> str:
    """A row for each fault that only queries have."""
    lines = ["| fault | what happens | endpoints |", "|---|---|---|"]
    for name, fault in FAULTS.items():
        if fault.endpoints <= QUERIES:
            endpoints = ", ".join(f"`{each}`" for each in sorted(fault.endpoints))
            lines.append(f"| `{name}` | {fault.sentence} | {endpoints} |")
    return "\n".join(lines)


def _row(offer: Offer) -> str:
    link = f"[{offer.offer_id}](https://detail.1688.com/offer/{offer.offer_id}.html)"
    return f"| {link} | {_plain(offer.title)} | {_options(offer)} | {_prices(offer)} | {_special(offer)} |"


def _options(offer: Offer) -> str:
    """The values of each dimension, and how many of their combinations exist."""
    if not offer.dimensions:
        return "–"
    sides = [
        list(dict.fromkeys(sku.values[place][0] for sku in offer.skus))
        for place in range(len(offer.dimensions))
    ]
    shown = " × ".join(
        _visible("、".join(side) if len(side) < 7 else f"{side[0]} … {side[-1]} ({len(side)})")
        for side in sides
    )
    possible = 1
    for side in sides:
        possible *= len(side)
    return shown if possible == len(offer.skus) else f"{shown}, {len(offer.skus)} of {possible}"


def _prices(offer: Offer) -> str:
    if offer.price_ranges:
        return "; ".join(f"{each.start}+: {yuan(each.price_fen)}" for each in offer.price_ranges)
    prices = sorted({sku.price_fen for sku in offer.skus})
    return yuan(prices[0]) if len(prices) == 1 else f"{yuan(prices[0])}–{yuan(prices[-1])}"


def _special(offer: Offer) -> str:
    member = any(each.member_fen for each in (*offer.skus, *offer.price_ranges))
    stocks = [sku.stock for sku in offer.skus]
    notes = {
        f"at least {offer.minimum}": offer.minimum > 1 and not offer.lenient,
        f"says at least {offer.minimum}, takes fewer": offer.lenient,
        f"lots of {offer.lot}": offer.lot,
        f"by the {offer.unit[1]} ({offer.unit[0]})": offer.unit[0] not in "件个",
        "a lower price for members": member,
        "another price for one piece": any(sku.retail_fen for sku in offer.skus),
        "mixed batches": offer.mixed_batch,
        "sold out": not any(stocks),
        "some sold out": any(stocks) and not all(stocks),
        "not on sale": offer.status != "published",
        "freight by agreement": offer.freight_by_description,
        "consignment": offer.consignment,
        "no cross-border pay": not offer.cross_border_pay,
        "credit only": len(offer.trade_types) == 1,
        "a promotion of its own": offer.promotion,
        "no translation": offer.title[1] is None,
        "no picture": offer.image == "",
        "a picture elsewhere": offer.image,
    }
    return ", ".join(note for note, applies in notes.items() if applies) or "–"


def _plain(title: Bilingual) -> str:
    return "<br>".join(_visible(text) for text in title if text)


def _visible(text: str) -> str:
    """Without the characters that turn the direction of a text."""
    return "".join(each for each in text if unicodedata.category(each) != "Cf").replace("|", "\\|")

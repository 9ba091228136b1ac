"""The terms of a deal, and the difference of two deals in words. Pure.

Texts that a seller may reword without changing the deal (messages, promotion texts) are no terms, nor is what
is on offer and not taken: a coupon, a trade type. The original title and option are terms where the product
was read, and so is that a product has no such option.
"""

import re
from dataclasses import dataclass

from xportcn_tools.desk.quote import Group, Quote
from xportcn_tools.goods.product import NotRead, Product
from xportcn_tools.money import yuan
from xportcn_tools.order import Line, Promotion


@dataclass(frozen=True)
class Change:
    """One difference; `was` and `now` are words, money in yuan."""

    what: str
    was: str
    now: str


def terms_of(quote: Quote, made_for: dict[str, str]) -> dict[str, str]:
    """Everything that makes the deal, as words by name; two quotes are equal terms when these are.

    `made_for`: `Policy.made_for`, for which mode and whose account the deal is.
    """
    terms = {
        **made_for,
        "payable": yuan(quote.payable),
        "goods": yuan(quote.goods),
        "freight": yuan(quote.freight),
        "fees": yuan(quote.fees),
        "discount": yuan(quote.discount),
        "flow": _named(quote.pinned.flow),
        "trade_type": _named(quote.pinned.trade_type),
        "promotion_id": _named(quote.pinned.promotion_id),
        "promotion_priced": "no" if quote.promotion_not_priced else "yes",
        "orders": str(len(quote.groups)),
        "freight_by_description": ", ".join(quote.freight_by_description) or "none",
        "no_cross_border_pay": ", ".join(quote.no_cross_border_pay) or "none",
    }
    for number, group in enumerate(quote.groups, start=1):
        terms |= _group_terms(f"order {number}", group, quote.pinned.promotion_id)
        for line in group.lines:
            terms |= _name_terms(line, quote.products.get(line.offer_id))
    return terms


def _group_terms(name: str, group: Group, promotion_id: str | None) -> dict[str, str]:
    taken = [
        _promotion(offer)
        for offer in group.promotions or ()
        if offer.selected or (promotion_id and offer.promotion_id == promotion_id)
    ]
    terms = {
        f"{name} payable": yuan(group.payable),
        f"{name} freight": yuan(group.freight),
        f"{name} fees": yuan(group.fees),
        f"{name} discount": yuan(group.discount),
        f"{name} stated": group.stated or "none",
        f"{name} promotions": ", ".join(sorted(taken)) or "none",
    }
    for number, line in enumerate(group.lines, start=1):
        terms |= _line_terms(f"{name} line {number}", line)
    return terms


def _promotion(offer: Promotion) -> str:
    applied = " (applied)" if offer.selected else ""
    return f"{_named(offer.promotion_id)}{applied}{f' -{yuan(offer.discount)}' if offer.discount else ''}"


def _named(name: str | None) -> str:
    """A name of others as a term. One that is called `none` is not the same as none."""
    return "none" if name is None else f"「{name}」" if name in ("none", _NOT_LISTED) else name


def _line_terms(name: str, line: Line) -> dict[str, str]:
    return {
        f"{name} goods": f"offer {line.offer_id}, spec {line.spec_id or 'none'}, sku {line.sku_id or 'none'}",
        f"{name} quantity": str(line.quantity),
        f"{name} unit_price": "unknown" if line.unit_price is None else yuan(line.unit_price),
        f"{name} amount": yuan(line.amount),
    }


_TITLE, _OPTION = "title of ", "option of "
_NOT_LISTED = "not listed"


def _name_terms(line: Line, product: Product | NotRead | None) -> dict[str, str]:
    """A name is a term once, however many lines have it; a product that was not read has none.

    A line without a name whose product was read: it has a title all the same, and no such option.
    """
    title = line.title or (product.title if isinstance(product, Product) else None)
    if title is None:
        return {}
    offer = f"offer {line.offer_id}"
    goods = f"{offer} spec {line.spec_id}" if line.spec_id else offer
    return {
        f"{_TITLE}{offer}": title,
        f"{_OPTION}{goods}": _named(line.option) if line.title else _NOT_LISTED,
    }


def is_name(term: str) -> bool:
    """Whether this term is a seller's words."""
    return term.startswith((_TITLE, _OPTION))


def _unsaid(term: str) -> str:
    """What a term that is missing says; a name that is missing says nothing."""
    return "0.00" if term.endswith(("fees", "discount")) else "none"


def kept(terms: dict[str, str]) -> dict[str, str]:
    """Terms as a preview stores them: without those that say no more than a missing one."""
    return {name: value for name, value in terms.items() if is_name(name) or value != _unsaid(name)}


def differences(shown: dict[str, str], fresh: dict[str, str]) -> list[Change]:
    """Each term that is not the same in both, in the order of the fresh terms; empty where all are. Sums that
    follow from another change are left out, but for the total (`_is_cause`).

    A name that only one of them has could not be read for the other, which is no change; nor is an option
    that was not listed when it was shown. One that is no longer listed is.
    """
    both = {name for name in shown.keys() & fresh.keys() if shown[name] != _NOT_LISTED}
    names = [name for name in dict.fromkeys([*fresh, *shown]) if name in both or not is_name(name)]
    changed = {
        name: Change(name, was, now)
        for name in names
        if (was := shown.get(name, _unsaid(name))) != (now := fresh.get(name, _unsaid(name)))
    }
    return [change for change in changed.values() if _is_cause(change, changed)]


_OF_ORDER = re.compile(r"(order \d+) (payable|freight|fees|discount)")
_OF_LINE = re.compile(r"(order \d+ line \d+) amount")


def _is_cause(change: Change, changed: dict[str, Change]) -> bool:
    """Whether no other change says it: an amount follows from price or quantity, the sum of the goods from
    the lines, what is to be paid for an order from its parts. Of a single order all is said by the whole.
    """
    if line := _OF_LINE.fullmatch(change.what):
        return not changed.keys() & {f"{line[1]} unit_price", f"{line[1]} quantity"}
    if change.what == "goods":
        return not any(re.fullmatch(r"order \d+ line \d+ \w+", name) for name in changed)
    if order := _OF_ORDER.fullmatch(change.what):
        whole = changed.get(order[2])
        parts = [name for name in changed if name.startswith(f"{order[1]} ") and name != change.what]
        return not (whole and (whole.was, whole.now) == (change.was, change.now)) and not (
            order[2] == "payable" and parts and "none" not in (change.was, change.now)
        )
    return True

"""Units proven by arithmetic, and a group's figures in fen. Pure.

An answer does not say in what unit its line amounts are, and the two documented shapes differ. So the unit
is proven: in exactly one of fen and yuan the line amounts must add up to the sums, which are fen. Where
none does, the preview is refused. Sums that close as fen prove nothing where they are written `64.0`: all of
them may be yuan. So whatever is read as fen must be written without a decimal point.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from xportcn_tools.desk.quote import Group, Unit, UnitsUnclearError
from xportcn_tools.order import Item, Line, Promotion
from xportcn_tools.upstream.preview_answer import GroupAnswer, LineAnswer, has_point

_FEN_IN: dict[Unit, int] = {"fen": 1, "yuan": 100}
_NOISE = Decimal("1e-6")  # of a fen: what a double adds to 13.20


@dataclass(frozen=True)
class _Closed:
    """The discount and the fee (fen) with which a group's sums close, and the fields they stand in."""

    discount: int
    fee: int
    fields: frozenset[str]


def proven_unit(groups: list[GroupAnswer]) -> Unit | None:
    """The one unit in which every group's sums close; `None` where all amounts are zero, so that any does."""
    units: tuple[Unit, ...] = ("fen", "yuan")
    closing: list[Unit] = [
        unit for unit in units if all(_closes(group, unit) is not None for group in groups)
    ]
    lines = [line for group in groups for line in group.lines]
    if closing == ["fen"] and any(_looks_like_yuan(line.unit_price) for line in lines):
        closing = []
    if len(closing) == 1:
        return closing[0]
    if closing and all(line.amount == 0 for line in lines):
        return None
    raise _unclear(
        "the line amounts add up to the upstream's sums neither as fen nor as yuan, so no total is sure",
        groups,
    )


def _unclear(why: str, groups: list[GroupAnswer]) -> UnitsUnclearError:
    return UnitsUnclearError(why, [", ".join(_figures(group)) for group in groups])


def _figures(group: GroupAnswer) -> Iterator[str]:
    """What a group states, as the upstream wrote it."""
    sums = (
        ("sumPayment", group.sum_payment),
        ("sumCarriage", group.sum_carriage),
        ("sumPaymentNoCarriage", group.sum_goods),
        ("sumTotalPayment", group.sum_total),
        ("additionalFee", group.additional_fee),
        *_stated_reductions(group),
    )
    yield from (f"{name} {figure:f}" for name, figure in sums if figure is not None)
    for line in group.lines:
        price = "" if line.unit_price is None else f", finalUnitPrice {line.unit_price:f}"
        amount = "none" if line.amount is None else f"{line.amount:f}"
        yield f"offer {line.offer_id}: amount {amount}{price}"


def _looks_like_yuan(price: Decimal | None) -> bool:
    """Written with a point, and a whole number of fen if it is yuan: beside amounts in fen that is doubt.

    An average such as 2933.3333 is whole in neither unit, and merely unknown.
    """
    return bool(price and has_point(price) and _whole_fen(price, "yuan") is not None)


def _whole_fen(figure: Decimal | None, unit: Unit) -> int | None:
    """A figure in fen; `None` where it is absent, negative, no whole fen, or read as fen with a point."""
    if figure is None or figure < 0 or (unit == "fen" and figure and has_point(figure)):
        return None
    fen = figure * _FEN_IN[unit]
    whole = fen.to_integral_value()
    return int(whole) if abs(fen - whole) <= _NOISE else None


def _reduction(figure: Decimal | None) -> int | None:
    """In fen; a minus before it is one of notation."""
    return None if figure is None else _whole_fen(abs(figure), "fen")


def _stated_reductions(group: GroupAnswer) -> tuple[tuple[str, Decimal | None], ...]:
    return (
        ("discountFee", group.discount_fee),
        ("totalFundUsageAmount", group.fund_usage),
        ("totalPostFundUsageAmount", group.post_fund_usage),
    )


def _reductions(group: GroupAnswer, carriage: int) -> list[tuple[str, int]]:
    """What the answer names that may be taken off, in fen: each at most once."""
    applied = [offer for offer in group.promotions or () if offer.selected]
    named = [
        *_stated_reductions(group),
        *(("shopPromotionList", offer.discount_fee) for offer in applied[:1]),
    ]
    found = [(name, _reduction(figure)) for name, figure in named]
    if any(offer.free_postage for offer in applied):
        found.append(("freePostage", carriage))
    return [(name, fen) for name, fen in found if fen]


def _closes(group: GroupAnswer, unit: Unit) -> _Closed | None:
    """With which discount and fee the group's sums close, or `None`.

    `Σ lines [- discount] [+ fee] = sumPaymentNoCarriage` and `sumPaymentNoCarriage + sumCarriage
    [- discount] [+ fee] = sumPayment` (documented samples, without discount and fee; where these two
    enter is not documented). Each enters at most once; the reading with the fewest terms wins.
    """
    amounts = [_whole_fen(line.amount, unit) for line in group.lines]
    sum_goods, sum_payment = _whole_fen(group.sum_goods, "fen"), _whole_fen(group.sum_payment, "fen")
    free = group.sum_carriage is None and sum_goods == sum_payment
    carriage = 0 if free else _whole_fen(group.sum_carriage, "fen")
    if not amounts or None in amounts or sum_goods is None or sum_payment is None or carriage is None:
        return None
    fee = _whole_fen(group.additional_fee or Decimal(0), "fen")
    if group.additional_fee is not None and group.additional_fee < 0:
        return None
    goods = sum(amount for amount in amounts if amount is not None)
    reductions = _reductions(group, carriage)
    readings = [
        (taken, added)
        for size in range(len(reductions) + 1)
        for added in ((0, fee) if fee else (0,))
        for taken in combinations(reductions, size)
    ]
    for taken, added in readings:
        off = sum(fen for _, fen in taken)
        if goods - off + added + carriage == sum_payment and any(
            goods - sum(fen for _, fen in part) + extra == sum_goods
            for size in range(len(taken) + 1)
            for part in combinations(taken, size)
            for extra in (0, added)
        ):
            fields = {name for name, _ in taken} | ({"additionalFee"} if added else set[str]())
            return _Closed(off, added, frozenset(fields))
    return None


def group_in_fen(
    group: GroupAnswer, lines: dict[int, LineAnswer], items: tuple[Item, ...], unit: Unit | None
) -> Group:
    """The group's figures, which add up.

    Raises:
        UnitsUnclearError: they contradict each other, or nothing is to be paid.
    """
    closed, payment = _closes(group, unit or "fen"), _whole_fen(group.sum_payment, "fen")
    if closed is None or payment is None:  # pragma: no cover - the unit was proven on this group
        raise _unclear("the sums do not close", [group])
    payable = payment if group.sum_total is None else _whole_fen(group.sum_total, "fen")
    if payable is None:
        raise _unclear("the upstream's total is no whole number of fen", [group])
    if payable == 0:
        raise _unclear("the upstream's total is 0", [group])
    # Where the total is above the sum, a fee that is stated and not in the sum may say why; else nobody
    # documented it. Below it, only the discount can be the reason.
    beyond, used = payable - payment, closed.fields
    if beyond > 0 and not closed.fee and group.additional_fee == beyond:
        used |= {"additionalFee"}
    if beyond < 0:
        if closed.discount or (group.discount_fee is None or abs(group.discount_fee) != -beyond):
            raise _unclear("the upstream's total is below its own sum, and no discount explains it", [group])
        used |= {"discountFee"}
    discount = closed.discount + max(-beyond, 0)
    stated = (("additionalFee", group.additional_fee), *_stated_reductions(group))
    quoted = tuple(
        _line(position, line, items[position], unit, group) for position, line in sorted(lines.items())
    )
    return Group(
        payable=payable,
        goods=sum(line.amount for line in quoted),
        freight=_whole_fen(group.sum_carriage, "fen") or 0,
        fees=closed.fee + max(beyond, 0),
        discount=discount,
        unexplained_fee=0 if "additionalFee" in used - closed.fields else max(beyond, 0),
        stated=", ".join(
            f"{name} {figure:f}"
            for name, figure in stated
            # Two names for one reduction are not two reductions.
            if figure and name not in used and not (discount and abs(figure) == discount)
        ),
        lines=quoted,
        trade_types=group.offered_trade_types(),
        promotions=None
        if group.promotions is None
        else tuple(
            Promotion(offer.promotion_id, offer.text, offer.selected, _reduction(offer.discount_fee))
            for offer in group.promotions
        ),
    )


def _line(position: int, line: LineAnswer, item: Item, unit: Unit | None, group: GroupAnswer) -> Line:
    amount = _whole_fen(line.amount, unit or "fen") or 0
    if unit and line.unit_price is not None and line.unit_price >= 0:
        # Prices are rounded, to half a fen a piece. Promotions may make the amount less, and nothing more.
        at_most = (line.unit_price * _FEN_IN[unit] + Decimal("0.5")) * item.quantity
        if amount > at_most + _NOISE:
            raise _unclear(f"the amount of offer {line.offer_id} is above its unit price", [group])
    return Line(
        position=position,
        offer_id=item.offer_id,
        spec_id=item.spec_id or line.spec_id,
        sku_id=line.sku_id,
        quantity=item.quantity,
        unit_price=_whole_fen(line.unit_price, unit) if unit else None,
        amount=amount,
        message=line.message,
    )

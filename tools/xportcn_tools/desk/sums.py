"""Units proven by arithmetic, and a group's figures in fen. Pure.

An answer does not say in what unit its line amounts are, and the two documented shapes differ. So the unit
is proven: in exactly one of fen and yuan the line amounts must add up to the sums, which are fen. Where
none does, the preview is refused.
"""

from decimal import Decimal
from typing import Literal

from xportcn_tools.desk.quote import Group, UnitsUnclearError
from xportcn_tools.order import Item, Line, Promotion
from xportcn_tools.upstream.wire import GroupAnswer, LineAnswer

Unit = Literal["fen", "yuan"]
_FEN_IN: dict[Unit, int] = {"fen": 1, "yuan": 100}


def proven_unit(groups: list[GroupAnswer]) -> Unit | None:
    """The one unit in which every group's sums close; `None` where all amounts are zero, so that any does."""
    units: tuple[Unit, ...] = ("fen", "yuan")
    closing: list[Unit] = [
        unit for unit in units if all(_closes(group, unit) is not None for group in groups)
    ]
    if len(closing) == 1:
        return closing[0]
    if closing and all(line.amount == 0 for group in groups for line in group.lines):
        return None
    raise UnitsUnclearError(
        "the line amounts add up to the upstream's sums neither as fen nor as yuan, so no total is sure"
    )


def _whole_fen(amount: Decimal | None, unit: Unit) -> int | None:
    """A figure in fen; `None` where it is absent, negative or no whole number of fen."""
    if amount is None:
        return None
    fen = amount * _FEN_IN[unit]
    return int(fen) if fen >= 0 and fen == fen.to_integral_value() else None


def _closes(group: GroupAnswer, unit: Unit) -> tuple[int, int] | None:
    """The discount and the fee (fen) with which the group's sums close, or `None`.

    `Σ lines [- discount] [+ fee] = sumPaymentNoCarriage` and `sumPaymentNoCarriage + sumCarriage
    [- discount] [+ fee] = sumPayment` (documented samples, without discount and fee; where these two
    enter is not documented). Each enters at most once; the reading with the fewest terms wins.
    """
    amounts = [_whole_fen(line.amount, unit) for line in group.lines]
    sums = (group.sum_goods, group.sum_carriage, group.sum_payment)
    if not amounts or None in amounts or None in sums or any(part < 0 for part in sums if part is not None):
        return None
    goods = sum(amount for amount in amounts if amount is not None)
    sum_goods, sum_carriage, sum_payment = (part or 0 for part in sums)
    discount, fee = abs(group.discount_fee or 0), group.additional_fee or 0
    if fee < 0:
        return None
    for taken, added in ((0, 0), (discount, 0), (0, fee), (discount, fee)):
        if goods - taken + added + sum_carriage != sum_payment:
            continue
        within = {goods, goods - taken, goods + added, goods - taken + added}
        if sum_goods in within:
            return taken, added
    return None


def group_in_fen(
    group: GroupAnswer, lines: dict[int, LineAnswer], items: tuple[Item, ...], unit: Unit | None
) -> Group:
    closed = _closes(group, unit or "fen")
    if closed is None or group.sum_payment is None:  # pragma: no cover - the unit was proven on this group
        raise UnitsUnclearError("the sums do not close")
    discount, fee = closed
    payable = group.sum_payment if group.sum_total is None else group.sum_total
    # Where the total is above the sum, nobody documented why: shown as a fee. Below it, only the discount
    # can be the reason; a total of 0, or in yuan, is none.
    unexplained = payable - group.sum_payment
    if payable < 0 or (payable == 0 < group.sum_payment):
        raise UnitsUnclearError("the upstream's total is none, beside a sum that is to be paid")
    if unexplained < 0 and (discount or -unexplained != abs(group.discount_fee or 0)):
        raise UnitsUnclearError("the upstream's total is below its own sum, and no discount explains it")
    quoted = tuple(
        Line(
            position=position,
            offer_id=items[position].offer_id,
            spec_id=items[position].spec_id or line.spec_id,
            sku_id=line.sku_id,
            quantity=items[position].quantity,
            unit_price=_whole_fen(line.unit_price, unit) if unit else None,
            amount=_whole_fen(line.amount, unit or "fen") or 0,
            message=line.message,
        )
        for position, line in sorted(lines.items())
    )
    return Group(
        payable=payable,
        goods=sum(line.amount for line in quoted),
        freight=group.sum_carriage or 0,
        fees=fee + max(unexplained, 0),
        discount=discount + max(-unexplained, 0),
        unexplained_fee=max(unexplained, 0),
        lines=quoted,
        trade_types=group.offered_trade_types(),
        promotions=None
        if group.promotions is None
        else tuple(
            Promotion(offer.promotion_id, offer.text, offer.selected, offer.discount_fee)
            for offer in group.promotions
        ),
    )

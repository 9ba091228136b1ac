"""A preview answer as a `Quote`: units proven by the sums, defaults that move money pinned. Pure.

The answer does not say in what unit its line amounts are, and the two documented shapes differ. So the
unit is proven: in exactly one of fen and yuan the line amounts must add up to the sums, which are fen.
Where none does, the preview is refused. All amounts in a `Quote` are integer fen, and
`goods + freight + fees - discount == payable` holds in it, for each group and for the whole.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from xportcn_tools.desk.request import Item, OrderRequest, Pinned
from xportcn_tools.upstream.wire import GroupAnswer, LineAnswer, PreviewAnswer

Unit = Literal["fen", "yuan"]
_FEN_IN: dict[Unit, int] = {"fen": 1, "yuan": 100}
# Names that documents know (1688, vendor). Any word may come, also one that reads like a command.
_TRADE_TYPES = (
    "assureTrade",
    "fxassure",
    "alipay",
    "period",
    "assure",
    "creditBuy",
    "bank",
    "631staged",
    "37staged",
)
_FLOWS = (
    "general",
    "fenxiao",
    "fenxiaonew",
    "saleproxy",
    "boutiquefenxiao",
    "boutiquepifa",
    "paired",
    "repurchase",
)


@dataclass(frozen=True)
class Line:
    """A line as it will be ordered; `unit_price` is `None` where the upstream gave no whole fen."""

    offer_id: str
    spec_id: str | None
    sku_id: str | None
    quantity: int
    unit_price: int | None
    amount: int
    message: str | None


@dataclass(frozen=True)
class Promotion:
    promotion_id: str | None
    text: str | None
    selected: bool | None
    discount: int | None


@dataclass(frozen=True)
class Group:
    """One order to come. `unexplained_fee` is the part of `fees` that no documented field accounts for."""

    payable: int
    goods: int
    freight: int
    fees: int
    discount: int
    unexplained_fee: int
    lines: tuple[Line, ...]
    trade_types: tuple[str, ...] | None
    promotions: tuple[Promotion, ...]


@dataclass(frozen=True)
class Quote:
    """What an order would cost and by which terms; the sums are over all groups."""

    groups: tuple[Group, ...]
    pinned: Pinned
    freight_by_description: tuple[str, ...]
    no_cross_border_pay: tuple[str, ...]
    promotion_not_priced: bool

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


@dataclass(frozen=True)
class Reason:
    """Why an order cannot be placed as shown; `offer_id` where it is one line's fault.

    `text` is the upstream's own words (cleaned), `message` is ours.
    """

    message: str
    offer_id: str | None = None
    spec_id: str | None = None
    code: str | None = None
    text: str | None = None


class UnitsUnclearError(Exception):
    """The sums close in neither unit. The text says what was tried."""


class NotOrderableError(Exception):
    """The preview cannot be ordered as shown."""

    def __init__(self, reasons: Iterable[Reason]) -> None:
        self.reasons = tuple(reasons)
        self.request_id: str | None = None
        super().__init__("; ".join(reason.message for reason in self.reasons))


@dataclass(frozen=True)
class PinRules:
    """The owner's word on trade types: allowed ones in order of preference, and whether they were set."""

    trade_types: tuple[str, ...]
    trade_types_set: bool


def read_quote(answer: PreviewAnswer, request: OrderRequest, rules: PinRules) -> Quote:
    """Prove the units, match the lines, pin the terms.

    Raises:
        NotOrderableError: refused by the upstream, by line or group, or not orderable as shown.
        UnitsUnclearError: the sums close in neither unit.
    """
    refused = _refusals(answer)
    if refused:
        raise NotOrderableError(refused)
    matched = _match(answer.groups, request.items)
    unit = _proven_unit(answer.groups)
    # The order of the groups is the upstream's whim; the order of the request is not.
    by_position = sorted(zip(answer.groups, matched, strict=True), key=lambda pair: min(pair[1]))
    ordered = tuple(_group(group, lines, request.items, unit) for group, lines in by_position)
    asked = {item.offer_id for item in request.items}
    promotion_id, priced = _pin_promotion(ordered, request.promotion_id)
    return Quote(
        groups=ordered,
        pinned=Pinned(
            flow=_pin_flow(answer.groups, request.flow),
            trade_type=_pin_trade_type(ordered, request.trade_type, rules),
            promotion_id=promotion_id,
        ),
        freight_by_description=_named(answer.freight_by_description, asked),
        no_cross_border_pay=_named(answer.no_cross_border_pay, asked),
        promotion_not_priced=not priced,
    )


def _named(listed: list[str] | None, asked: set[str]) -> tuple[str, ...]:
    return tuple(sorted(asked.intersection(listed or ())))


def _refusals(answer: PreviewAnswer) -> list[Reason]:
    """What the upstream itself says against the order, by line where it says so by line."""
    reasons: list[Reason] = []
    if answer.refused:
        message = "the upstream refuses the preview"
        reasons.append(Reason(message, code=answer.error_code, text=answer.error_message))
    for group in answer.groups:
        by_line = [
            Reason(
                f"offer {line.offer_id} is refused",
                line.offer_id,
                line.spec_id,
                line.result_code,
                line.message,
            )
            for line in group.lines
            if line.refused
        ]
        reasons += by_line
        if group.refused and not by_line:
            offers = ", ".join(dict.fromkeys(line.offer_id for line in group.lines)) or "none named"
            reasons.append(
                Reason(
                    f"the group of offers {offers} is refused",
                    code=group.result_code,
                    text=group.message,
                )
            )
        if group.offered_trade_types() == () and not group.refused and not by_line:
            reasons.append(Reason("the upstream lists no trade type: the group cannot be ordered by API"))
    return reasons


def _match(groups: list[GroupAnswer], items: tuple[Item, ...]) -> list[dict[int, LineAnswer]]:
    """For each group, its lines by the position of the item that they price. Answers carry no quantities.

    Every item must be priced exactly once and nothing else may be: only then is what is shown what was
    asked for.
    """
    waiting = dict(enumerate(items))
    matched: list[dict[int, LineAnswer]] = [{} for _ in groups]
    unmatched = [(lines, line) for lines, group in zip(matched, groups, strict=True) for line in group.lines]
    # A line or an item without a spec fits any; so those that name the same one have the first choice.
    for fits in (_same_goods, _may_be_same_goods):
        unmatched_still: list[tuple[dict[int, LineAnswer], LineAnswer]] = []
        for lines, line in unmatched:
            position = next((at for at, item in waiting.items() if fits(item, line)), None)
            if position is None:
                unmatched_still.append((lines, line))
            else:
                del waiting[position]
                lines[position] = line
        unmatched = unmatched_still
    reasons = [
        Reason(
            f"the answer prices offer {line.offer_id}, which was not asked for in that form",
            line.offer_id,
            line.spec_id,
        )
        for _, line in unmatched
    ]
    reasons += [
        Reason(f"the answer does not price offer {item.offer_id}", item.offer_id, item.spec_id)
        for item in waiting.values()
    ]
    if any(not group.lines for group in groups):
        reasons.append(Reason("the answer has a group without lines"))
    if reasons:
        raise NotOrderableError(reasons)
    return matched


def _same_goods(item: Item, line: LineAnswer) -> bool:
    return (item.offer_id, item.spec_id) == (line.offer_id, line.spec_id)


def _may_be_same_goods(item: Item, line: LineAnswer) -> bool:
    return item.offer_id == line.offer_id and None in (item.spec_id, line.spec_id)


def _proven_unit(groups: list[GroupAnswer]) -> Unit | None:
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


def _group(
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
    if unexplained < 0 and (discount or -unexplained != abs(group.discount_fee or 0)):
        raise UnitsUnclearError("the upstream's total is below its own sum, and no discount explains it")
    quoted = tuple(
        Line(
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
        promotions=tuple(
            Promotion(offer.promotion_id, offer.text, offer.selected, offer.discount_fee)
            for offer in group.promotions or ()
        ),
    )


def _in_our_words(names: list[str]) -> str:
    """Names that stand in a sentence of ours: those we know; of the others, how many there are."""
    known = [name for name in names if name in _TRADE_TYPES + _FLOWS]
    others = len(names) - len(known)
    return ", ".join([*known, *([f"{others} of other names"] if others else [])])


def _pin_flow(groups: list[GroupAnswer], asked: str | None) -> str | None:
    flows = list(dict.fromkeys(group.flow for group in groups if group.flow))
    if len(flows) > 1:
        message = f"one order cannot have several flows ({_in_our_words(flows)}): order separately"
        raise NotOrderableError([Reason(message, text=", ".join(flows))])
    return flows[0] if flows else asked


def _pin_trade_type(groups: tuple[Group, ...], asked: str | None, rules: PinRules) -> str | None:
    """`asked` is one of the allowed ones already; a group that names no list allows any."""
    lists = [group.trade_types for group in groups if group.trade_types is not None]
    if not lists:
        return asked or (rules.trade_types[0] if rules.trade_types_set else None)
    offered = [name for name in lists[0] if all(name in other for other in lists)]
    wanted = (asked,) if asked else rules.trade_types
    chosen = next((name for name in wanted if name in offered), None)
    if chosen is None:
        message = (
            f"of the trade types {', '.join(wanted)} the upstream offers none; "
            f"it offers {_in_our_words(offered) or 'none for all groups'}"
        )
        raise NotOrderableError([Reason(message, text=", ".join(offered) or None)])
    return chosen


def _pin_promotion(groups: tuple[Group, ...], asked: str | None) -> tuple[str | None, bool]:
    """The promotion to send, and whether the total was computed with it."""
    listed = [promotion for group in groups for promotion in group.promotions]
    selected = list(dict.fromkeys(promotion.promotion_id for promotion in listed if promotion.selected))
    if None in selected:
        raise NotOrderableError(
            [Reason("the upstream applies a promotion without an id: it cannot be pinned")]
        )
    if len(selected) > 1:
        raise NotOrderableError(
            [Reason("the upstream applies several promotions, but one order takes one: order separately")]
        )
    chosen = selected[0] if selected else None
    if asked is None or asked == chosen:
        return chosen, True
    if asked not in {promotion.promotion_id for promotion in listed}:
        known = ", ".join(sorted({promotion.promotion_id for promotion in listed if promotion.promotion_id}))
        raise NotOrderableError(
            [Reason(f"promotion {asked} is not among those on offer", text=known or None)]
        )
    return asked, False

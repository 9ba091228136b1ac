"""What the upstream has of an order, beside what was approved. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from xportcn_tools.money import yuan
from xportcn_tools.order import Line, ShownPreview
from xportcn_tools.upstream_state import UpstreamOrder


@dataclass(frozen=True)
class Difference:
    """What the upstream has otherwise than it was approved; `was` and `now` in words."""

    what: str
    was: str
    now: str


@dataclass(frozen=True)
class Compared:
    """Orders of one create beside what was approved. `unit`: fen in the unit of their totals (1 or 100), or
    `None` where no figure proves it.
    """

    unit: int | None
    differs: bool
    differences: tuple[Difference, ...] = ()

    def total_of(self, order: UpstreamOrder) -> int | None:
        """In fen; `None` where there is none, or its unit is not proven."""
        if order.total is None or self.unit is None:
            return None
        fen = order.total * self.unit
        return int(fen) if fen == int(fen) else None


def compared(orders: Sequence[UpstreamOrder], shown: ShownPreview) -> Compared:
    """All orders of one create beside the preview that was approved.

    The total's unit is that in which it, or else its freight or a line, fits what was approved; an amount
    with a part of a whole can only be yuan. A total that was not given is no difference.
    """
    totals = [order.total for order in orders if order.total is not None]
    whole = bool(orders) and len(totals) == len(orders)
    total = sum(totals, Decimal(0))
    unit = _unit_of(total, shown.payable) if whole else None
    differs = whole and unit is None
    unit = unit or _proven(orders, shown)
    changes: list[Difference] = []
    if differs:
        now = f"{total * unit / 100:.2f}" if unit else f"{total} (unit not proven)"
        changes.append(Difference("total", yuan(shown.payable), now))
    changes += _other_goods(orders, shown.lines)
    return Compared(unit, bool(changes), tuple(changes))


def _unit_of(amount: Decimal, fen: int) -> int | None:
    """In which unit the amount is this many fen: 100 (yuan), 1 (fen), or neither."""
    return next((unit for unit in (100, 1) if amount and amount * unit == fen), None)


def _proven(orders: Sequence[UpstreamOrder], shown: ShownPreview) -> int | None:
    """The unit that figures beside the totals prove, where they agree."""
    amounts = {(line.offer_id, line.spec_id, line.quantity): line.amount for line in shown.lines}
    units = {_unit_of(order.freight, shown.freight) for order in orders if order.freight}
    for order in orders:
        if order.total is not None and order.total != int(order.total):
            units.add(100)
        for item in order.items:
            approved = amounts.get((item.offer_id, item.spec_id, item.quantity or 0))
            if approved and item.amount:
                units.add(_unit_of(item.amount, approved))
    units.discard(None)
    return units.pop() if len(units) == 1 else None


def _other_goods(orders: Sequence[UpstreamOrder], lines: Sequence[Line]) -> Iterator[Difference]:
    """Quantities of goods that are not those approved; nothing where the upstream names no goods whole."""
    items = [item for order in orders for item in order.items]
    if not items or any(not order.items for order in orders) or any(item.quantity is None for item in items):
        return
    by_spec = all(item.spec_id for item in items) and all(line.spec_id for line in lines)
    approved: dict[tuple[str, str], int] = {}
    now: dict[tuple[str, str], int] = {}
    for line in lines:
        goods = (line.offer_id, (line.spec_id or "") if by_spec else "")
        approved[goods] = approved.get(goods, 0) + line.quantity
    for item in items:
        goods = (item.offer_id, (item.spec_id or "") if by_spec else "")
        now[goods] = now.get(goods, 0) + (item.quantity or 0)
    for goods in dict.fromkeys([*approved, *now]):
        if approved.get(goods, 0) != now.get(goods, 0):
            offer, spec = goods
            name = f"quantity of offer {offer}{f' spec {spec}' if spec else ''}"
            yield Difference(name, str(approved.get(goods, 0)), str(now.get(goods, 0)))

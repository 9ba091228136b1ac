"""Orders as rows of a table: one a line of goods, and one each for freight, fees and discount. Pure.

The amounts of an order's rows add up to what was approved for it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import tzinfo
from typing import Any

from xportcn_tools.ledger.ledger import Receipt
from xportcn_tools.money import yuan
from xportcn_tools.order import ERASED

IDS = frozenset(("out_order_id", "order_ids", "offer_id", "spec_id", "product_no", "request_id"))
_ID = re.compile(r"[A-Za-z0-9._, -]+")
_ACTIVE = re.compile(r"[=+\-@\t\r\n＝＋－＠|%]")
"""What a spreadsheet may take for the beginning of a formula."""
_NEXT_CELL = re.compile(rf"(;[\s\"']*)(?={_ACTIVE.pattern})")
"""A semicolon begins a cell where the system's language has it between the cells of CSV, as in German."""


@dataclass(frozen=True)
class ExportRow:
    """`date`: of the claim, in the owner's zone. `kind`: `goods`, `freight`, `fees`, `discount` (negative),
    or `other` for what no such part explains. `amount`, `unit_price`: yuan, two digits. `ship_to`: without
    street, the phone masked: a table goes to others.
    """

    date: str
    out_order_id: str
    order_ids: str
    state: str
    caller: str
    kind: str
    offer_id: str
    spec_id: str
    product_no: str
    title: str
    option: str
    quantity: int | None
    unit_price: str
    amount: str
    currency: str
    ship_to: str
    approval: str
    request_id: str


_NO_GOODS: dict[str, Any] = {
    **dict.fromkeys(("offer_id", "spec_id", "product_no", "title", "option", "unit_price"), ""),
    "quantity": None,
}
COLUMNS = tuple(each.name for each in fields(ExportRow))


def export_rows(found: Receipt, zone: tzinfo) -> Iterator[ExportRow]:
    """All rows of one order."""
    order, shown = found.order, found.preview.shown if found.preview else None
    request = found.preview.request if found.preview else None
    ship_to = request.address.masked_line(request.address_name) if request else ""
    left = order.payable_fen

    def row(kind: str, fen: int, **goods: Any) -> ExportRow:
        nonlocal left
        left -= fen
        return ExportRow(
            date=order.created_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
            out_order_id=order.out_order_id,
            order_ids=", ".join(order.order_ids),
            state=order.state,
            caller=order.caller,
            kind=kind,
            amount=yuan(fen),
            currency="CNY",
            ship_to=ship_to if order.ship_to else ERASED,
            approval=order.approval_method,
            request_id=order.request_id or "",
            **_NO_GOODS | goods,
        )

    if shown:
        for line in shown.lines:
            yield row(
                "goods",
                line.amount,
                offer_id=line.offer_id,
                spec_id=line.spec_id or "",
                product_no=line.product_no or "",
                title=line.title or "",
                option=line.option or "",
                quantity=line.quantity,
                unit_price="" if line.unit_price is None else yuan(line.unit_price),
            )
        yield row("freight", shown.freight)
        yield row("fees", shown.fees)
        yield row("discount", -shown.discount)
    if left or not shown:
        yield row("other", left)


def cell(name: str, value: str | int | None) -> str:
    """A value as a spreadsheet must have it: an id stays text, and no text becomes a formula."""
    text = "" if value is None else str(value)
    if name in IDS and _ID.fullmatch(text):
        return f'="{text}"'  # else 19 digits are rounded, and 12e5 is a number
    if name in ("amount", "unit_price", "quantity"):
        return text
    marked = f"'{text}" if _ACTIVE.match(text.lstrip() or text) else text
    return _NEXT_CELL.sub(r"\1'", marked)

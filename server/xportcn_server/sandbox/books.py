"""What the upstream itself holds to be true. A test compares it with what a client believes.

One event loop writes; nothing here awaits, so no write can be seen half done, nor be cut in two by a
cancellation.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any, Literal, cast

from xportcn_server.sandbox.parsing import Operation
from xportcn_server.sandbox.prices import PricedLine

UNPAID, PAID, SHIPPED, CLOSED = "waitbuyerpay", "waitsellersend", "waitbuyerreceive", "cancel"
STATUSES = (UNPAID, PAID, SHIPPED, "confirm_goods", "success", CLOSED, "terminated")
"""The words of 1688 for where an order stands."""


@dataclass(frozen=True)
class Bill:
    """What a create makes of one group, in fen. `payable_fen`: all of it, freight and fees included."""

    payable_fen: int
    carriage_fen: int = 0
    lines: tuple[PricedLine, ...] = ()


@dataclass(frozen=True)
class OrderPart:
    """One order id, and where it stands. `payable_fen` is the seller's to change while it is unpaid."""

    order_id: str
    bill: Bill
    payable_fen: int
    status: str = UNPAID
    parcel: tuple[str, str] | None = None

    def moved(
        self,
        status: str | None = None,
        payable_fen: int | None = None,
        parcel: tuple[str, str] | None = None,
    ) -> "OrderPart":
        """The same order later. `parcel`: carrier and number, made up where it is shipped without."""
        status = status or self.status
        if status not in STATUSES:
            raise ValueError(f"status is one of: {', '.join(STATUSES)}")
        if status == SHIPPED:
            parcel = parcel or self.parcel or ("中通快递", f"75{self.order_id[-12:]}")
        fen = self.payable_fen if payable_fen is None else payable_fen
        return replace(self, status=status, payable_fen=fen, parcel=parcel or self.parcel)


@dataclass(frozen=True)
class Order:
    """One create that led to orders: a part per group, more where it was split.

    `trade_type`: the one sent, else the one that the platform chose. `body`: all that the create request
    held.
    """

    parts: tuple[OrderPart, ...]
    out_order_id: str
    trade_type: str
    body: Mapping[str, Any]
    created_at: datetime

    @property
    def order_ids(self) -> tuple[str, ...]:
        return tuple(part.order_id for part in self.parts)

    @property
    def payable_fen(self) -> int:
        """At the time of the create, in fen."""
        return sum(part.bill.payable_fen for part in self.parts)


@dataclass
class Books:
    """Orders, and how many requests were read. Kept for the life of the process only.

    What a duplicate `outOrderId` does is on no page. `accepted`, the default, promises nothing: a second
    order is made. `refused` is a kinder upstream: do not count on it.
    """

    duplicates: Literal["accepted", "refused"] = "accepted"
    orders: list[Order] = field(default_factory=list[Order])
    received: Counter[Operation] = field(default_factory=Counter[Operation])
    creates_of: Counter[str] = field(default_factory=Counter[str])
    paths: list[str] = field(default_factory=list[str])
    """Of every call that was read, one after the other, also where nothing answers."""
    _numbers: "count[int]" = field(default_factory=lambda: count(1), repr=False)

    def note_request(self, endpoint: Operation, body: bytes) -> None:
        """A request was read to its end, whatever becomes of it; creates also count by `outOrderId`."""
        self.received[endpoint] += 1
        if endpoint == "create":
            self.creates_of[_out_order_id(body)] += 1

    def place(
        self, body: Mapping[str, Any], *, trade_type: str, bills: Sequence[Bill], now: datetime
    ) -> Order:
        """A new order with an id for each bill."""
        order = Order(
            parts=tuple(OrderPart(self._new_id(now), bill, bill.payable_fen) for bill in bills),
            out_order_id=body.get("outOrderId", ""),
            trade_type=trade_type,
            body=body,
            created_at=now,
        )
        self.orders.append(order)
        return order

    def move(
        self,
        order_id: str,
        status: str | None = None,
        payable_fen: int | None = None,
        parcel: tuple[str, str] | None = None,
    ) -> None:
        """What buyer, seller or platform do with an order: see `OrderPart.moved`.

        Raises LookupError where there is no such order, ValueError for a status that there is not.
        """
        order, part = self.found(order_id)
        moved = part.moved(status, payable_fen, parcel)
        parts = tuple(moved if each is part else each for each in order.parts)
        self.orders[self.orders.index(order)] = replace(order, parts=parts)

    def found(self, order_id: str) -> tuple[Order, OrderPart]:
        """The order with this id among its own, and the part that has it. Raises LookupError."""
        for order in self.orders:
            for part in order.parts:
                if part.order_id == order_id:
                    return order, part
        raise LookupError(f"there is no order {order_id}")

    def orders_of(self, out_order_id: str) -> Sequence[Order]:
        """The orders with that buyer's number, oldest first; more than one is what must never happen."""
        return [order for order in self.orders if order.out_order_id == out_order_id]

    def refuses(self, out_order_id: str) -> bool:
        """Whether a create with that number is turned away as a duplicate."""
        return self.duplicates == "refused" and bool(out_order_id and self.orders_of(out_order_id))

    def _new_id(self, now: datetime) -> str:
        # 13 digits of time and 6 of a counter: 19, and a ledger that outlives this process sees no id twice.
        return f"{int(now.timestamp() * 1000):013d}{next(self._numbers) % 1_000_000:06d}"


def _out_order_id(body: bytes) -> str:
    try:
        content: object = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(content, dict):
        return ""
    value = cast("dict[str, object]", content).get("outOrderId")
    return value if isinstance(value, str) else ""

"""What the upstream itself holds to be true. A test compares it with what a client believes.

One event loop writes; nothing here awaits, so no write can be seen half done, nor be cut in two by a
cancellation.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, Literal, cast

from xportcn_server.sandbox.parsing import Operation


@dataclass(frozen=True)
class Order:
    """One create that led to orders: one id per group, more where it was split.

    `trade_type`: the one sent, else the one that the platform chose. `payable_fen`: at the time of the
    create, in fen. `body`: all that the create request held.
    """

    order_ids: tuple[str, ...]
    out_order_id: str
    trade_type: str
    payable_fen: int
    body: Mapping[str, Any]
    created_at: datetime


@dataclass
class Books:
    """Orders, and how many requests were read. Kept for the life of the process only.

    What a duplicate `outOrderId` does is on no page. `accepted`, the default, promises nothing: a second
    order is made. `refused` is the kinder upstream that nobody may count on.
    """

    duplicates: Literal["accepted", "refused"] = "accepted"
    orders: list[Order] = field(default_factory=list[Order])
    received: Counter[Operation] = field(default_factory=Counter[Operation])
    creates_of: Counter[str] = field(default_factory=Counter[str])
    _numbers: "count[int]" = field(default_factory=lambda: count(1), repr=False)

    def note_request(self, endpoint: Operation, body: bytes) -> None:
        """A request was read to its end, whatever becomes of it; creates also count by `outOrderId`."""
        self.received[endpoint] += 1
        if endpoint == "create":
            self.creates_of[_out_order_id(body)] += 1

    def place(
        self,
        body: Mapping[str, Any],
        *,
        trade_type: str,
        payable_fen: int,
        ids: int,
        now: datetime,
    ) -> Order:
        """A new order with that many ids."""
        order = Order(
            order_ids=tuple(self._new_id(now) for _ in range(ids)),
            out_order_id=body.get("outOrderId", ""),
            trade_type=trade_type,
            payable_fen=payable_fen,
            body=body,
            created_at=now,
        )
        self.orders.append(order)
        return order

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

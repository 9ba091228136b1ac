"""Which orders are asked for, and what they add up to. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["sending", "placed", "rejected", "unknown", "absent"]


@dataclass(frozen=True)
class StateTotal:
    """Orders of one state, and what they cost together (fen)."""

    state: State
    orders: int
    payable_fen: int


@dataclass(frozen=True)
class OrderQuery:
    """Filters, all of which must hold; newest first. `caller` `None`: everybody's (for the operator).

    `reference`: an `out_order_id` or an order id. Where `token_digest` is given beside it, an order of the
    preview with that token fits too. `since`, `until` (not included): of the claim, UTC. `before`: only what
    comes after the order with this `out_order_id`, the last of an earlier answer.
    """

    caller: str | None
    reference: str | None = None
    token_digest: str = ""
    states: tuple[State, ...] = ()
    limit: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: str | None = None

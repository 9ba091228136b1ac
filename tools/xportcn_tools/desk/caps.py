"""The owner's caps, in fen and in orders per UTC day. Pure; the ledger calls it inside the claim.

An order counts from its claim: placed, under way and of unknown outcome alike. Refused ones do not.
"""

from dataclasses import dataclass

from xportcn_tools.ledger.ledger import DayUsage
from xportcn_tools.money import yuan


@dataclass(frozen=True)
class Caps:
    """Highest total of one order and of one UTC day (fen), and highest number of orders of a day."""

    order_fen: int
    day_fen: int
    day_orders: int


@dataclass(frozen=True)
class Breach:
    """Which cap an order would pass: its setting, its value, what is used, what this would make it."""

    setting: str
    cap: str
    used: str
    would_be: str

    @property
    def message(self) -> str:
        return (
            f"{self.setting} is {self.cap}; used so far {self.used}; this order would make it {self.would_be}"
        )


def breach(caps: Caps, used: DayUsage, payable: int) -> Breach | None:
    """The first cap that an order of `payable` fen would pass, or `None`. A cap may be reached."""
    if payable > caps.order_fen:
        return Breach("XPORTCN_MAX_ORDER_CNY", yuan(caps.order_fen), yuan(0), yuan(payable))
    if used.fen + payable > caps.day_fen:
        return Breach("XPORTCN_MAX_DAY_CNY", yuan(caps.day_fen), yuan(used.fen), yuan(used.fen + payable))
    if used.orders + 1 > caps.day_orders:
        return Breach("XPORTCN_MAX_DAY_ORDERS", str(caps.day_orders), str(used.orders), str(used.orders + 1))
    return None

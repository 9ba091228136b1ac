"""The owner's caps, in fen and in orders per day of the owner's. Pure; the ledger calls it inside the claim.

An order counts from its claim: placed, under way and of unknown outcome alike. Refused ones do not.
"""

from dataclasses import dataclass, field

from xportcn_tools.ledger.ledger import DayUsage
from xportcn_tools.money import yuan


@dataclass(frozen=True)
class Caps:
    """A caller's caps: total of one order and of one day (fen), number of a day's orders.

    `total_day_fen`: of all callers together, `None` where there is no such cap. `places`: where the first
    three stand, for the person who may change them.
    """

    order_fen: int
    day_fen: int
    day_orders: int
    total_day_fen: int | None = None
    places: tuple[str, ...] = field(
        default=("XPORTCN_MAX_ORDER_CNY", "XPORTCN_MAX_DAY_CNY", "XPORTCN_MAX_DAY_ORDERS"), compare=False
    )


@dataclass(frozen=True)
class Breach:
    """Which cap an order would pass: where it stands, its value, what is used, what this would make it.

    `ends_at`: when the day ends that is counted (UTC); `None` for the cap of one order.
    """

    setting: str
    cap: str
    used: str
    would_be: str
    ends_at: str | None

    @property
    def message(self) -> str:
        unit = " CNY" if "." in self.cap else ""  # else orders, as the setting says
        cap, used, would_be = (f"{figure}{unit}" for figure in (self.cap, self.used, self.would_be))
        if self.ends_at is None:
            return f"{self.setting} is {cap}; this order is {would_be}"
        until = f"; the day ends at {self.ends_at}"
        return f"{self.setting} is {cap}; used so far {used}; this order would make it {would_be}{until}"


def breach(caps: Caps, used: DayUsage, payable: int) -> Breach | None:
    """The first cap that an order of `payable` fen would pass, or `None`. A cap may be reached."""
    of_order, of_day, of_orders = caps.places
    ends_at = used.ends_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    if payable > caps.order_fen:
        return Breach(of_order, yuan(caps.order_fen), yuan(0), yuan(payable), None)
    for place, cap, sum_fen in (
        (of_day, caps.day_fen, used.fen),
        ("XPORTCN_TOTAL_DAY_CNY", caps.total_day_fen, used.total_fen),
    ):
        if cap is not None and sum_fen + payable > cap:
            return Breach(place, yuan(cap), yuan(sum_fen), yuan(sum_fen + payable), ends_at)
    if used.orders + 1 > caps.day_orders:
        return Breach(of_orders, str(caps.day_orders), str(used.orders), str(used.orders + 1), ends_at)
    return None

"""An order as the upstream has it after its create: what was read, and when. Pure.

Amounts stand as they were written: yuan and fen are mixed, so that a unit is taken only where it is proven.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class Parcel:
    carrier: str | None
    tracking_number: str | None


@dataclass(frozen=True)
class UpstreamItem:
    """A line as the upstream has it now. `amount`: as it was written, its unit not said."""

    offer_id: str
    spec_id: str | None
    quantity: int | None
    amount: Decimal | None


@dataclass(frozen=True)
class UpstreamOrder:
    """An order as the upstream has it now; `None` is unknown. Amounts as they were written, unit not said.

    `status` and `closed_because` are the upstream's words, `status_text` ours.
    """

    order_id: str
    out_order_id: str | None = None
    status: str | None = None
    status_text: str | None = None
    total: Decimal | None = None
    freight: Decimal | None = None
    created_at: datetime | None = None
    unpaid: bool | None = None
    pay_until: datetime | None = None
    closed_because: str | None = None
    items: tuple[UpstreamItem, ...] = ()
    parcels: tuple[Parcel, ...] = ()


@dataclass(frozen=True)
class Reading:
    """All orders of one create, as they were read at `read_at` (UTC)."""

    read_at: datetime
    orders: tuple[UpstreamOrder, ...]


@dataclass(frozen=True)
class VendorMessage:
    """What the vendor said of an order by itself, in its own words, cleaned. Nothing in it is believed.

    `received_at`: UTC; `sent_at`: as it says.
    """

    received_at: datetime
    event: str
    sent_at: datetime | None
    text: str

"""What the upstream says of an order after its create, as `get_orders` answers it."""

from xportcn_tools.result_shapes import Money, Shape


class ParcelResult(Shape):
    carrier: str | None
    tracking_number: str | None


class UpstreamOrderResult(Shape):
    """One order id. `status` and `closed_because` are the upstream's words, `status_text` ours.

    `unproven_total`: as it was written, where no figure proves its unit. `differs`: total or goods of all
    orders of the create together are not what was approved; `differences` names what.
    """

    order_id: str
    status: str | None
    status_text: str | None
    total: Money | None
    unproven_total: str | None
    differs: bool
    differences: list[str]
    unpaid: bool | None
    pay_until: str | None
    closed_because: str | None
    parcels: list[ParcelResult]


class UpstreamResult(Shape):
    """`read_at`: when it was read; it may be otherwise by now."""

    read_at: str
    orders: list[UpstreamOrderResult]

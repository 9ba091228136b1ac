"""The upstream's details of an order, read tolerantly. Pure.

`data` is 1688's TradeInfo (names documented for native 1688). Through Xportcn path, units and words are
inferred: sums in yuan stand beside discounts in fen, and three vocabularies of states are known by name. So
amounts are kept as they are written.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, cast

from xportcn_tools.upstream.envelope import object_of, order_id_of, text_of
from xportcn_tools.upstream_state import Parcel, UpstreamItem, UpstreamOrder

ORDER_DETAIL_PATH = "/alibaba/ka/order/detail"

MOST_PARCELS = 50
_LONGEST_WAIT = 366 * 24 * 3600  # seconds; no order waits longer for its payment
_IDS = ("idOfStr", "orderId", "id")  # 1688 rounds `id`
_WRAPPERS = ("result", "data", "tradeInfo", "orderDetail")
_WORDS: dict[str, str] = {
    "waitbuyerpay": "not paid yet",
    "waitingforpayment": "not paid yet",
    "等待买家付款": "not paid yet",
    "待付款": "not paid yet",
    "waitsellersend": "paid, not shipped yet",
    "waitingforsent": "paid, not shipped yet",
    "等待卖家发货": "paid, not shipped yet",
    "待发货": "paid, not shipped yet",
    "waitbuyerreceive": "shipped",
    "waitingforreceive": "shipped",
    "等待买家收货": "shipped",
    "待收货": "shipped",
    "confirmgoods": "received",
    "success": "complete",
    "交易成功": "complete",
    "cancel": "closed",
    "terminated": "closed",
    "交易关闭": "closed",
}
"""Folded: small letters, without `_`. The states of 1688, of Xportcn and of a person's page."""


def detail_request(order_id: str) -> dict[str, Any]:
    """Ask for one order's details."""
    return {"webSite": "1688", "orderId": order_id}


def read_order(data: object) -> UpstreamOrder | None:
    """The order in the details' `data` or in a row of a list; `None` where it holds none with a usable id."""
    fields = _order_in(data)
    base = fields | object_of(fields.get("baseInfo"))
    order_id = next(filter(None, (order_id_of(base.get(name)) for name in _IDS)), None)
    if order_id is None:
        return None
    status = text_of(base.get("status"))
    words = _words_for(status) or _words_for(text_of(base.get("statusStr")))
    created_at = moment_of(base.get("createTime"))
    unpaid = _unpaid(words, base, fields)
    number = base.get("outOrderId")
    return UpstreamOrder(
        order_id,
        out_order_id=number if isinstance(number, str) else None,
        status=status,
        status_text=words,
        total=_amount(base.get("totalAmount")),
        freight=_amount(base.get("shippingFee")),
        created_at=created_at,
        unpaid=unpaid,
        pay_until=_pay_until(created_at, base.get("payTimeout")) if unpaid else None,
        closed_because=text_of(base.get("closeReason")),
        items=tuple(_items(fields)),
        parcels=tuple(_parcels(fields)),
    )


def _order_in(data: object) -> dict[str, Any]:
    """The order's object, at most two wrappers down; of a list, its only element."""
    for _ in range(3):
        if isinstance(data, list):
            elements = cast("list[object]", data)
            data = elements[0] if len(elements) == 1 else None
        fields = object_of(data)
        if any(name in fields for name in ("baseInfo", *_IDS)):
            return fields
        data = next((fields[name] for name in _WRAPPERS if isinstance(fields.get(name), dict | list)), None)
    return {}


def _words_for(status: str | None) -> str | None:
    return _WORDS.get((status or "").lower().replace("_", "").strip())


def _unpaid(words: str | None, base: Mapping[str, Any], fields: Mapping[str, Any]) -> bool | None:
    """By the state, else by the payment's own (`payStatus` 1: unpaid, 2: paid)."""
    if words:
        return words == "not paid yet"
    if base.get("payTime"):
        return False
    terms = [str(term.get("payStatus")) for term in _objects(fields.get("tradeTerms"))]
    return terms[0] == "1" if len(set(terms)) == 1 and terms[0] in ("1", "2") else None


def moment_of(value: object) -> datetime | None:
    """`yyyyMMddHHmmssSSS+0800` (1688), or milliseconds since 1970, in UTC."""
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC) if value > 10**11 else None
        text = str(value) if isinstance(value, str) else ""
        digits, zone = text[:17], text[17:]
        hours = int(zone[:3]) if zone else 8
        moment = datetime.strptime(digits[:14], "%Y%m%d%H%M%S").replace(
            tzinfo=timezone(timedelta(hours=hours))
        )
        return moment.astimezone(UTC) + timedelta(milliseconds=int(digits[14:] or 0))
    except (ValueError, OverflowError, OSError):
        return None


def _pay_until(created_at: datetime | None, seconds: object) -> datetime | None:
    """`payTimeout` counts seconds from the creation (1688)."""
    if created_at is None or not isinstance(seconds, int) or not 0 < seconds <= _LONGEST_WAIT:
        return None
    return created_at + timedelta(seconds=seconds)


def _items(fields: Mapping[str, Any]) -> Iterator[UpstreamItem]:
    for item in _objects(fields.get("productItems")):
        offer_id = item.get("productID", item.get("productId"))
        quantity = _amount(item.get("quantity"))
        yield UpstreamItem(
            str(offer_id),
            text_of(item.get("specId")),
            int(quantity) if quantity is not None and quantity == int(quantity) else None,
            _amount(item.get("itemAmount")),
        )


def _parcels(fields: Mapping[str, Any]) -> Iterator[Parcel]:
    logistics = object_of(fields.get("nativeLogistics"))
    for item in _objects(logistics.get("logisticsItems"))[:MOST_PARCELS]:
        parcel = Parcel(text_of(item.get("logisticsCompanyName")), text_of(item.get("logisticsBillNo")))
        if parcel.carrier or parcel.tracking_number:
            yield parcel


def _amount(value: object) -> Decimal | None:
    """A number, or a text that is one; never negative, never beyond a trillion."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        amount = Decimal(value)
    except ArithmeticError:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10**12 else None


def _objects(value: object) -> list[dict[str, Any]]:
    return [object_of(each) for each in cast("list[object]", value)] if isinstance(value, list) else []

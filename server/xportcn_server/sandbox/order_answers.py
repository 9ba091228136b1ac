"""Orders in the books → the `data` of an order's details and of the order list, as 1688's TradeInfo. Pure.

Yuan stand beside fen there: totals, freight and prices are yuan, discounts fen (1688). How they come through
Xportcn's KA was not read; faults have the totals in fen, Xportcn's own words, and rows without our number.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from xportcn_server.sandbox.books import CLOSED, PAID, SHIPPED, UNPAID, Order, OrderPart
from xportcn_server.sandbox.jsontext import Json, yuan
from xportcn_server.sandbox.parsing import ListBody
from xportcn_server.sandbox.prices import PricedLine

_CHINA = timezone(timedelta(hours=8))
_VENDOR_WORDS = {UNPAID: "WAITING_FOR_PAYMENT", PAID: "WAITING_FOR_SENT", CLOSED: "CANCEL"}


def list_data(request: ListBody, orders: Sequence[Order], variation: str = "") -> Json:
    """A page of the orders, the newest first."""
    parts = [] if variation == "empty-list" else [(o, p) for o in reversed(orders) for p in o.parts]
    first = (request.page - 1) * request.page_size
    return {
        "page": request.page,
        "pageSize": request.page_size,
        "totalRecord": len(parts),
        "result": [
            _row(order, _shown(part, variation), variation)
            for order, part in parts[first : first + request.page_size]
        ],
    }


def details_data(order: Order, part: OrderPart, variation: str = "") -> Json:
    """All of one order id."""
    part = _shown(part, variation)
    paid = part.status not in {UNPAID, CLOSED}
    to: dict[str, Any] = order.body.get("addressParam", {})
    return {
        "baseInfo": _base_info(order, part, variation),
        "productItems": [_item(line, part, place) for place, line in enumerate(part.bill.lines)],
        "nativeLogistics": {
            "province": to.get("provinceText"),
            "city": to.get("cityText"),
            "area": to.get("areaText"),
            "town": to.get("townText"),
            "address": to.get("address"),
            "contactPerson": to.get("fullName"),
            "mobile": to.get("mobile"),
            "zip": to.get("postCode"),
            "logisticsItems": [{"logisticsCompanyName": part.parcel[0], "logisticsBillNo": part.parcel[1]}]
            if part.parcel
            else None,
        },
        "tradeTerms": [
            {
                "payStatus": "2" if paid else "1",
                "payWay": "13",
                "phasAmount": _total(part.payable_fen, variation),
            }
        ],
    }


def _shown(part: OrderPart, variation: str) -> OrderPart:
    """The order as a fault has it: moved on in this answer alone."""
    match variation:
        case "order-paid":
            return part.moved(PAID)
        case "order-shipped":
            return part.moved(SHIPPED)
        case "order-closed":
            return part.moved(CLOSED)
        case "order-repriced":
            return part.moved(payable_fen=part.payable_fen + 150)
        case _:
            return part


def _row(order: Order, part: OrderPart, variation: str) -> Json:
    base = _base_info(order, part, variation)
    if variation == "no-out-order-id":
        base = {**base, "idOfStr": int(part.order_id)}
    return {
        "baseInfo": base,
        "productItems": [_item(line, part, place) for place, line in enumerate(part.bill.lines)],
    }


def _base_info(order: Order, part: OrderPart, variation: str) -> dict[str, Json]:
    other = variation == "other-order"
    order_id = str(int(part.order_id) + 1) if other else part.order_id
    listed_fen = sum(_listed_fen(line) for line in part.bill.lines)
    off_fen = sum(line.amount_fen for line in part.bill.lines) - listed_fen
    word = _VENDOR_WORDS.get(part.status, part.status) if variation == "vendor-words" else part.status
    base: dict[str, Json] = {
        "id": int(order_id) // 1000 * 1000,  # rounded, as 1688's is
        "idOfStr": order_id,
        "outOrderId": "OTHER-1" if other else order.out_order_id,
        "status": word,
        "totalAmount": _total(part.payable_fen, variation),
        "sumProductPayment": _total(listed_fen, variation),
        "shippingFee": _total(part.bill.carriage_fen, variation),
        "discount": off_fen + part.payable_fen - part.bill.payable_fen,
        "refund": 0,
        "createTime": _time(order.created_at),
        "payTime": None if part.status in {UNPAID, CLOSED} else _time(order.created_at),
        "payTimeout": 259_200,
        "tradeTypeCode": order.trade_type,
        "closeReason": "买家未付款" if part.status == CLOSED else None,
    }
    if variation == "no-out-order-id":
        del base["outOrderId"]
    return base


def _item(line: PricedLine, part: OrderPart, place: int) -> Json:
    """A line of goods, which an order has priced: its offer and sku are there."""
    offer, sku = line.offer, line.sku
    dimensions = zip(offer.dimensions, sku.values, strict=True) if offer and sku else ()
    return {
        "productID": line.requested.offer_id,
        "skuID": sku.sku_id if sku else None,
        "specId": line.requested.spec_id,
        "subItemIDString": str(int(part.order_id) + place + 1),
        "name": offer.title[0] if offer else None,
        "quantity": line.requested.quantity,
        "unit": offer.unit[0] if offer else None,
        "price": yuan(line.unit_fen),
        "itemAmount": yuan(line.amount_fen),
        "entryDiscount": line.amount_fen - _listed_fen(line),
        "skuInfos": [{"name": name[0], "value": value[0]} for name, value in dimensions],
        "status": part.status,
        "logisticsStatus": 2 if part.parcel else 8,
    }


def _listed_fen(line: PricedLine) -> int:
    return line.unit_fen * line.requested.quantity


def _total(fen: int, variation: str) -> Json:
    return fen if variation == "totals-in-fen" else yuan(fen)


def _time(moment: datetime) -> str:
    """1688's form, to the millisecond: yyyyMMddHHmmssSSS+0800."""
    return f"{moment.astimezone(_CHINA):%Y%m%d%H%M%S%f}"[:17] + "+0800"

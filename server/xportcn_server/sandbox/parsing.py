"""A request body of the preview or the create, read and checked.

Field names and types are documented (2025-09 schema). That a field of another name or type is refused is
our invention: the real upstream most likely ignores it, but a sandbox that does so hides mistakes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, cast

from xportcn_server.sandbox import jsontext

Operation = Literal["preview", "create", "list"]

_Fields = Mapping[str, tuple[type, ...]]

_TEXT = (str,)
_INTEGER = (int,)
_NUMBER = (int, Decimal)

_ADDRESS_REQUIRED = ("fullName", "mobile", "provinceText", "cityText", "address")
_ADDRESS: _Fields = dict.fromkeys(
    (*_ADDRESS_REQUIRED, "phone", "postCode", "areaText", "townText", "districtCode"), _TEXT
)
_LINE = {
    "offerId": _INTEGER,
    "quantity": _NUMBER,
    **dict.fromkeys(("sellerOpenId", "specId", "productNo", "container"), _TEXT),
}
_SHARED = {"flow": _TEXT, "outOrderId": _TEXT, "addressParam": (dict,), "cargoParamList": (list,)}
_PREVIEW = {**_SHARED, "aliId": _TEXT}
_CREATE = {
    **_SHARED,
    **dict.fromkeys(
        ("message", "shopPromotionId", "tradeType", "userId", "staffName", "dropshipping"), _TEXT
    ),
    "developerId": _INTEGER,
    "platformOrder": _INTEGER,
}

MAX_LINES = 50  # per order (1688)
MAX_MESSAGE = 500  # characters of the buyer's message (1688)
MAX_QUANTITY = 10**9  # pieces in a line (our invention; JSON can write numbers that no memory holds)


class BadRequestError(Exception):
    """The body is not of the documented form; the text says where."""


@dataclass(frozen=True)
class RequestedLine:
    offer_id: int
    quantity: int
    spec_id: str | None
    seller_open_id: str | None


@dataclass(frozen=True)
class OrderBody:
    """What a preview or a create asks for. Absent texts are empty; `body` is all that came."""

    lines: tuple[RequestedLine, ...]
    flow: str
    out_order_id: str
    trade_type: str
    promotion_id: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class ListRequest:
    """A page of the order list (the form is inferred): pages count from 1."""

    page: int
    page_size: int
    out_order_id: str


def read_order(body: bytes, endpoint: Literal["preview", "create"]) -> OrderBody:
    """The request in `body`. Raises BadRequestError."""
    content = _checked(_decoded(body), _PREVIEW if endpoint == "preview" else _CREATE, "")
    address = _checked(content.get("addressParam"), _ADDRESS, "addressParam")
    for name in _ADDRESS_REQUIRED:
        if not address.get(name):
            raise BadRequestError(f"addressParam.{name}不能为空")
    lines = cast("list[object]", content.get("cargoParamList") or [])
    if not 1 <= len(lines) <= MAX_LINES:
        raise BadRequestError(f"cargoParamList必须为1至{MAX_LINES}行")
    if len(content.get("message", "")) > MAX_MESSAGE:
        raise BadRequestError(f"message不能超过{MAX_MESSAGE}字")
    if content.get("dropshipping", "n") not in {"y", "n"}:
        raise BadRequestError("dropshipping只能为y或n")
    return OrderBody(
        lines=tuple(_read_line(line, f"cargoParamList[{index}]") for index, line in enumerate(lines)),
        flow=content.get("flow", ""),
        out_order_id=content.get("outOrderId", ""),
        trade_type=content.get("tradeType", ""),
        promotion_id=content.get("shopPromotionId", ""),
        body=content,
    )


def read_list(body: bytes) -> ListRequest:
    """The page asked for in `body`. Raises BadRequestError."""
    fields = {"page": _INTEGER, "pageSize": _INTEGER, "outOrderId": _TEXT}
    content = _checked(_decoded(body), fields, "")
    page, page_size = content.get("page", 1), content.get("pageSize", 20)
    if page < 1 or not 1 <= page_size <= 50:
        raise BadRequestError("page从1开始，pageSize为1至50")
    return ListRequest(page, page_size, content.get("outOrderId", ""))


def _read_line(line: object, where: str) -> RequestedLine:
    content = _checked(line, _LINE, where)
    quantity = content.get("quantity", 0)
    # `quantity` is a number on the wire, the vendor's own sample sends 2.0; half a piece is not for sale.
    if not 1 <= quantity <= MAX_QUANTITY or quantity != int(quantity):
        raise BadRequestError(f"{where}.quantity必须为正整数")
    if "offerId" not in content:
        raise BadRequestError(f"{where}.offerId不能为空")
    spec_id, seller_open_id = content.get("specId") or None, content.get("sellerOpenId") or None
    return RequestedLine(content["offerId"], int(quantity), spec_id, seller_open_id)


def _decoded(body: bytes) -> object:
    try:
        return jsontext.decode(body)
    except ValueError:
        raise BadRequestError("请求体不是JSON") from None


def _checked(value: object, fields: _Fields, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRequestError(f"{where or '请求体'}必须为对象")
    content = cast("dict[str, Any]", value)
    for name, member in content.items():
        at = f"{where}.{name}" if where else name
        if name not in fields:
            raise BadRequestError(f"{at}：未知字段")
        # The exact type: to Python, true is an integer as well.
        if type(member) not in fields[name]:
            raise BadRequestError(f"{at}：类型错误")
    return content

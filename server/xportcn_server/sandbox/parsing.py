"""A request body, read and checked.

Field names and types of preview and create are documented (2025-09 schema), those of products are the
sibling's, those of order queries are inferred. That a field of another name or type is refused is
our invention: the real upstream most likely ignores it, but a sandbox that does so hides mistakes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, cast

from xportcn_server.sandbox import jsontext

Operation = Literal["preview", "create", "list", "details", "product", "sibling-product", "search"]
"""`sibling-product`: the product's details under the sibling's path, the second candidate."""

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

_PRODUCT: _Fields = {"offerId": _INTEGER, "country": _TEXT, "outMemberId": _TEXT}
_SEARCH: _Fields = {
    **dict.fromkeys(("keyword", "country", "sort", "priceStart", "priceEnd", "filter", "outMemberId"), _TEXT),
    **dict.fromkeys(("beginPage", "pageSize"), _INTEGER),
    "categoryId": (int, str),
}
_SORTABLE = frozenset({"price", "monthSold", "rePurchaseRate"})
LANGUAGES = frozenset({"en", "ja", "ko", "ru", "vi", "es", "fr", "pt", "th", "id", "ar"})

MAX_LINES = 50  # per order (1688)
MAX_MESSAGE = 500  # characters of the buyer's message (1688)
MAX_PAGE_SIZE = 50  # rows of a list or a search (1688)
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


@dataclass(frozen=True)
class ProductBody:
    offer_id: int
    language: str


@dataclass(frozen=True)
class SearchBody:
    """A page of a keyword search, from 1 on. `sort`: by which figures, the last first, and if descending."""

    keyword: str
    language: str
    page: int
    page_size: int
    sort: tuple[tuple[str, bool], ...]
    from_fen: int
    upto_fen: int


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
    return ListRequest(*_page(content, "page"), content.get("outOrderId", ""))


def read_details(body: bytes) -> str:
    """The order id asked for in `body`. Raises BadRequestError."""
    content = _checked(_decoded(body), {"webSite": _TEXT, "orderId": _TEXT}, "")
    if content.get("webSite") != "1688" or not content.get("orderId"):
        raise BadRequestError("webSite必须为1688，orderId不能为空")
    return content["orderId"]


def read_product(body: bytes) -> ProductBody:
    """The product asked for in `body`. Raises BadRequestError."""
    content = _checked(_decoded(body), _PRODUCT, "")
    if "offerId" not in content:
        raise BadRequestError("offerId不能为空")
    return ProductBody(content["offerId"], _language(content))


def read_search(body: bytes) -> SearchBody:
    """The search asked for in `body`. Raises BadRequestError."""
    content = _checked(_decoded(body), _SEARCH, "")
    if not content.get("keyword"):
        raise BadRequestError("keyword不能为空")
    return SearchBody(
        content["keyword"],
        _language(content),
        *_page(content, "beginPage"),
        _sort(content.get("sort") or "{}"),
        from_fen=_fen(content.get("priceStart") or "0"),
        upto_fen=_fen(content.get("priceEnd") or "10000000"),
    )


def _page(content: Mapping[str, Any], name: str) -> tuple[int, int]:
    page, page_size = content.get(name, 1), content.get("pageSize", 20)
    if page < 1 or not 1 <= page_size <= MAX_PAGE_SIZE:
        raise BadRequestError(f"{name}从1开始，pageSize为1至{MAX_PAGE_SIZE}")
    return page, page_size


def _language(content: Mapping[str, Any]) -> str:
    language = content.get("country", "en")
    if language not in LANGUAGES:
        raise BadRequestError(f"country不支持{language}")
    return language


def _sort(text: str) -> tuple[tuple[str, bool], ...]:
    """The figures of a JSON object in a string, such as `{"price": "asc"}`, the first of them last."""
    wanted = _checked(_decoded(text.encode()), dict.fromkeys(_SORTABLE, _TEXT), "sort")
    if not {"asc", "desc"} >= set(wanted.values()):
        raise BadRequestError("sort只能为asc或desc")
    return tuple((name, direction == "desc") for name, direction in reversed(wanted.items()))


def _fen(text: str) -> int:
    """The fen of a sum in yuan, rounded down."""
    if not re.fullmatch(r"\d{1,8}(\.\d{1,2})?", text):
        raise BadRequestError("priceStart和priceEnd必须为元")
    return int(Decimal(text) * 100)


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

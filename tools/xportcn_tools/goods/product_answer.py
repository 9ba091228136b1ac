"""An answer about goods: the product that was asked for, or why it could not be read. Pure.

The fields are 1688's (documented there); through Xportcn's KA they are inferred, so an object, a list and
1688's own wrapper are all read. What is odd is unknown, but for what could let an order take the wrong thing:
the answer of another offer, or options that cannot be told apart, are unreadable.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from xportcn_tools.goods.list_prices import ListPrices
from xportcn_tools.goods.product import (
    FoundProduct,
    NotRead,
    NotReadReason,
    OptionValue,
    PriceTier,
    Product,
    ProductOption,
    SearchPage,
)
from xportcn_tools.upstream.envelope import identifier, reports_failure, text_of
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.words import cause_of

_MOST_OPTIONS = 1000
_MOST_VALUES = 10  # dimensions of an option; two are usual
_MOST_TIERS = _MOST_ROWS = 50  # the rows of a page of a search (1688)
_TITLE_LIMIT = 120
_WRAPPERS = 2  # levels of `{result: {success, code, message, result}}`

_OFFER_ID = re.compile(r"[1-9][0-9]{0,18}")
_SPEC_ID = re.compile(r"[0-9A-Fa-f]{32}")
_COUNT = re.compile(r"[0-9]{1,12}")
_IMAGE = re.compile(
    r"https://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+/[A-Za-z0-9._~!$*+,;=:@%/-]{1,400}"
    r"(?:\?[A-Za-z0-9._~!$*+,;=:@%/&-]{0,100})?"
)
_NO_PRODUCT = re.compile(r"SP0056|商品(?:信息)?已?不存在")
"""Documented by 1688."""
_NO_INTERFACE = re.compile(
    r"(?:接口|服务|路径|地址|方法|API)\s?(?:不存在|未找到|找不到|未定义)|(?:无此|没有此|未知)(?:接口|API)"
    r"|no such (?:interface|api|service|method|path)|no (?:handler|static resource|mapping|endpoint)"
    r"|(?:interface|api|path|url|route|endpoint|service)(?: is| does| was)? ?(?:not|n't|un)[ -]?"
    r"(?:found|exist|known)",
    re.IGNORECASE,
)
_NO_PERMISSION = re.compile(r"权限|未授权|permission|not permitted|unauthori[sz]ed", re.IGNORECASE)

_Fields = Mapping[str, Any]


class _NotReadableError(Exception):
    """The answer refuses (`text` is the upstream's own), or is not of a known form (`text` says where)."""

    def __init__(
        self, text: str | None, reason: NotReadReason = "unreadable", code: str | None = None
    ) -> None:
        super().__init__(text)
        self.text, self.code = text, code
        self.reason: NotReadReason = reason

    def of(self, reply: Reply, offer_id: str = "") -> NotRead:
        return NotRead(offer_id, self.reason, self.code, self.text, reply.request_id)


def read_product(reply: Reply, offer_id: str) -> Product | NotRead:
    """The product in an answer to the detail call; only the one that was asked for counts."""
    try:
        return _product(_the_one(_unwrapped(_data_of(reply), "offerId"), offer_id), offer_id)
    except _NotReadableError as why:
        return why.of(reply, offer_id)


def read_search(reply: Reply) -> SearchPage | NotRead:
    """A page of found products; what holds no offer and title is left out."""
    try:
        return _page(_unwrapped(_data_of(reply), "totalRecords"))
    except _NotReadableError as why:
        return why.of(reply)


def _data_of(reply: Reply) -> object:
    """What an answer holds, unless it refuses as a whole."""
    envelope = reply.envelope
    if reply.status == 404:
        raise _NotReadableError(envelope and envelope.message, "not_confirmed", reply.code)
    if envelope is None:
        reason: NotReadReason = "unreadable"
        if reply.status != 200:
            refused = reply.status in (401, 403)
            reason = "not_permitted" if refused else "no_answer"
        raise _NotReadableError(reply.text, reason, None if reply.status == 200 else reply.code)
    if reply.status != 200 or not envelope.succeeded:
        raise _refusal(reply.code, envelope.message, reply.status)
    return envelope.data


def _refusal(code: str | None, text: str | None, status: int = 200) -> _NotReadableError:
    said = f"{code or ''} {text or ''}"
    cause = cause_of(code, text, status)
    reason: NotReadReason = "unreadable"
    if cause == "busy":
        reason = "no_answer"
    elif _NO_PRODUCT.search(said):
        reason = "not_found"
    elif _NO_INTERFACE.search(said) or code == "404":
        reason = "not_confirmed"
    elif _NO_PERMISSION.search(said) or cause:  # key, signature and clock: not for this account as it is set
        reason = "not_permitted"
    elif status >= 500:
        reason = "no_answer"
    return _NotReadableError(text, reason, code)


def _unwrapped(data: object, name: str) -> object:
    """Down to what has a field of this name, or to what is no object, at most two levels.

    Raises:
        _NotReadableError: `success: false` or an `errorCode` on the way.
    """
    for level in range(_WRAPPERS + 1):
        fields = _object(data)
        if reports_failure(fields):
            code = text_of(fields.get("code") or fields.get("errorCode"))
            said = (fields.get(each) for each in ("message", "errorMsg", "errorMessage", "msg"))
            raise _refusal(code, next(filter(None, map(text_of, said)), None))
        if name in fields or "result" not in fields or level == _WRAPPERS:
            break
        data = fields["result"]
    return data


def _the_one(data: object, offer_id: str) -> _Fields:
    """The product with this number, alone or in a list."""
    rows = _rows([data] if _object(data) else data, _MOST_ROWS)
    fitting = [row for row in rows if _offer_id(row.get("offerId")) == offer_id]
    if not fitting:
        raise _NotReadableError("the answer holds no product with this number")
    if any(row != fitting[0] for row in fitting):
        raise _NotReadableError("the answer holds several products with this number")
    return fitting[0]


def _page(data: object) -> SearchPage:
    page: _Fields = {"data": cast("object", data)} if isinstance(data, list) else _object(data)
    if "data" not in page:
        raise _NotReadableError("the answer holds no list of products")
    rows = _rows(page["data"], _MOST_ROWS)
    prices = ListPrices(_in(row, "priceInfo").get("price") for row in rows)
    found = tuple(filter(None, (_found(row, prices) for row in rows)))
    return SearchPage(found, max(_count(page.get("totalRecords")) or 0, len(found)))


def _product(fields: _Fields, offer_id: str) -> Product:
    title = _text(fields.get("subject"), _TITLE_LIMIT)
    if title is None:
        raise _NotReadableError("the product has no title")
    sale = _in(fields, "productSaleInfo")
    rows = _rows(fields.get("productSkuInfos"), _MOST_OPTIONS)
    tiers = _rows(sale.get("priceRangeList"), _MOST_TIERS)
    prices = ListPrices(row.get("price") for row in (*rows, *tiers))
    single = ListPrices(row.get("retailPrice") for row in (*rows, sale))
    unit = _in(sale, "unitInfo")
    images: object = _in(fields, "productImage").get("images")
    status = _text(fields.get("status"))
    mixed: object = _in(fields, "sellerMixSetting").get("generalHunpi")
    return Product(
        offer_id=offer_id,
        title=title,
        title_translated=_text(fields.get("subjectTrans"), _TITLE_LIMIT),
        seller_open_id=_identifier(fields.get("sellerOpenId")),
        status=status,
        orderable=None if status is None else status == "published",
        unit=_text(unit.get("unit"), 20) or _text(unit.get("transUnit"), 20),
        min_quantity=_count(fields.get("minOrderQuantity")) or None,
        lot_size=_count(fields.get("batchNumber")) or None,
        mixed_batch=mixed if isinstance(mixed, bool) else None,
        stock=_count(sale.get("amountOnSale")),
        single_price=single.fen(sale.get("retailPrice")),
        price_tiers=_tiers(tiers, prices),
        options=tuple(_options(rows, prices if _count(sale.get("quoteType")) == 1 else None, single)),
        image=_image(cast("list[object]", images)[0]) if isinstance(images, list) and images else None,
        ships_from=_text(_in(fields, "productShippingInfo").get("sendGoodsAddressText")),
    )


def _options(rows: list[_Fields], prices: ListPrices | None, single: ListPrices) -> Iterator[ProductOption]:
    """Each once. `prices`: `None` where the product's tiers hold, whatever an option says."""
    seen: dict[str, ProductOption] = {}
    values: dict[tuple[object, ...], OptionValue] = {}  # a matrix repeats them, and cleaning is dear
    for row in rows:
        spec_id = row.get("specId")
        if not (isinstance(spec_id, str) and _SPEC_ID.fullmatch(spec_id)):
            raise _NotReadableError("an option has no spec id")
        attributes = _rows(row.get("skuAttributes"), _MOST_VALUES)
        images = (_image(attribute.get("skuImageUrl")) for attribute in attributes)
        option = ProductOption(
            spec_id=spec_id,
            sku_id=_offer_id(row.get("skuId")),
            values=tuple(_value(attribute, values) for attribute in attributes),
            stock=_count(row.get("amountOnSale")),
            price=prices.fen(row.get("price")) if prices else None,
            image=next(filter(None, images), None),
            single_price=single.fen(row.get("retailPrice")),
        )
        known = seen.setdefault(spec_id.lower(), option)
        if known.values != option.values:
            raise _NotReadableError("two options have one spec id")
        if known is option:
            yield option


def _value(attribute: _Fields, known: dict[tuple[object, ...], OptionValue]) -> OptionValue:
    names = ("attributeName", "value", "attributeNameTrans", "valueTrans")
    raw = tuple(attribute.get(name) if isinstance(attribute.get(name), str | int) else None for name in names)
    if raw not in known:
        name, value, name_translated, value_translated = map(text_of, raw)
        if value is None and value_translated is None:
            raise _NotReadableError("an option has a value without text")
        known[raw] = OptionValue(
            name or "", value or value_translated or "", name_translated, value_translated
        )
    return known[raw]


def _tiers(rows: list[_Fields], prices: ListPrices) -> tuple[PriceTier, ...]:
    """By quantity; none at all where one cannot be read, since the one before it would seem to hold there."""
    tiers: dict[int, int] = {}
    for row in rows:
        start, price = _count(row.get("startQuantity")), prices.fen(row.get("price"))
        if start is None or price is None or tiers.setdefault(start, price) != price:
            return ()
    return tuple(PriceTier(start, price) for start, price in sorted(tiers.items()))


def _found(row: _Fields, prices: ListPrices) -> FoundProduct | None:
    offer_id, title = _offer_id(row.get("offerId")), _text(row.get("subject"), _TITLE_LIMIT)
    if offer_id is None or title is None:
        return None
    return FoundProduct(
        offer_id=offer_id,
        title=title,
        title_translated=_text(row.get("subjectTrans"), _TITLE_LIMIT),
        price_from=prices.fen(_in(row, "priceInfo").get("price")),
        min_quantity=_count(row.get("minOrderQuantity")) or None,
        sold_last_month=_count(row.get("monthSold")),
        image=_image(row.get("imageUrl")),
    )


def _object(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _in(fields: _Fields, name: str) -> _Fields:
    return _object(fields.get(name))


def _rows(value: object, most: int) -> list[_Fields]:
    """The objects of a list; `null` is an empty one."""
    rows = cast("list[object]", value if isinstance(value, list) else [])
    if (value is not None and not isinstance(value, list)) or not all(isinstance(row, dict) for row in rows):
        raise _NotReadableError("the answer has something else where a list of objects belongs")
    if len(rows) > most:
        raise _NotReadableError(f"the answer has a list of more than {most}")
    return cast("list[_Fields]", rows)


def _text(value: object, most: int = 300) -> str | None:
    text = text_of(value)
    return text[:most].rstrip() if text else None


def _count(value: object) -> int | None:
    """A whole number from 0 on, as JSON or in digits; anything else is unknown."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if _COUNT.fullmatch(text) else None


def _offer_id(value: object) -> str | None:
    """The id of an offer or of a SKU."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if _OFFER_ID.fullmatch(text) else None


def _identifier(value: object) -> str | None:
    try:
        return identifier(value)
    except ValueError:
        return None


def _image(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) <= 600 and _IMAGE.fullmatch(value) else None

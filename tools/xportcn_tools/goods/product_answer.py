"""An answer about goods: the product that was asked for, or why it could not be read. Pure.

The fields are 1688's (documented there); through Xportcn's KA they are inferred, so an object, a list and
1688's own wrapper are all read. What is odd is unknown, but for what could let an order take the wrong thing:
the answer of another offer, or options that cannot be told apart, are unreadable.
"""

import re
from collections.abc import Iterator, Mapping
from typing import cast

from xportcn_tools.goods.answer_data import JsonObject, NotReadableError, data_of, unwrapped
from xportcn_tools.goods.list_prices import ListPrices
from xportcn_tools.goods.product import (
    FoundProduct,
    NotRead,
    OptionValue,
    PriceTier,
    Product,
    ProductOption,
    SearchPage,
)
from xportcn_tools.upstream.envelope import identifier_or_unknown, object_of, text_of
from xportcn_tools.upstream.outcome import Reply

_MOST_OPTIONS = 1000
_MOST_VALUES = 10  # dimensions of an option; two are usual
_MOST_TEXT = 200_000  # characters of all options, repeated ones once
_MOST_TIERS = _MOST_ROWS = 50  # the rows of a page of a search (1688)
_TITLE_LIMIT = 120

_VALUE = ("attributeName", "value", "attributeNameTrans", "valueTrans")
_OFFER_ID = re.compile(r"[1-9][0-9]{0,18}")
_SPEC_ID = re.compile(r"[0-9A-Fa-f]{32}")
_COUNT = re.compile(r"[0-9]{1,12}")
_IMAGE = re.compile(
    r"https://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+/[A-Za-z0-9._~!$*+,;=:@%/-]{1,400}"
    r"(?:\?[A-Za-z0-9._~!$*+,;=:@%/&-]{0,100})?"
)


def read_product(reply: Reply, offer_id: str) -> Product | NotRead:
    """The product in an answer to the detail call; only the one that was asked for counts."""
    try:
        return _product(_the_one(unwrapped(data_of(reply), "offerId"), offer_id), offer_id)
    except NotReadableError as why:
        return why.of(reply, offer_id)


def read_search(reply: Reply) -> SearchPage | NotRead:
    """A page of found products; what holds no offer and title is left out."""
    try:
        return _page(unwrapped(data_of(reply), "totalRecords"))
    except NotReadableError as why:
        return why.of(reply)


def _the_one(data: object, offer_id: str) -> JsonObject:
    """The product with this number, alone or in a list."""
    rows = _rows([data] if object_of(data) else data, _MOST_ROWS)
    fitting = [row for row in rows if _offer_id(row.get("offerId")) == offer_id]
    if not fitting:
        raise NotReadableError("the answer holds no product with this number")
    if any(row != fitting[0] for row in fitting):
        raise NotReadableError("the answer holds several products with this number")
    return fitting[0]


def _page(data: object) -> SearchPage:
    page: JsonObject = {"data": cast("object", data)} if isinstance(data, list) else object_of(data)
    if "data" not in page:
        raise NotReadableError("the answer holds no list of products")
    rows = _rows(page["data"], _MOST_ROWS)
    prices = ListPrices(_in(row, "priceInfo").get("price") for row in rows)
    found = tuple(filter(None, (_found(row, prices) for row in rows)))
    return SearchPage(found, max(_count(page.get("totalRecords")) or 0, len(found)))


def _product(fields: JsonObject, offer_id: str) -> Product:
    title = _text(fields.get("subject"), _TITLE_LIMIT)
    if title is None:
        raise NotReadableError("the product has no title")
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
        seller_open_id=identifier_or_unknown(fields.get("sellerOpenId")),
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


def _options(
    rows: list[JsonObject], prices: ListPrices | None, single: ListPrices
) -> Iterator[ProductOption]:
    """Each once. `prices`: `None` where the product's tiers hold, whatever an option says."""
    seen: dict[str, ProductOption] = {}
    cleaned = _cleaned(rows)
    for row in rows:
        spec_id = row.get("specId")
        if not (isinstance(spec_id, str) and _SPEC_ID.fullmatch(spec_id)):
            raise NotReadableError("an option has no spec id")
        attributes = _rows(row.get("skuAttributes"), _MOST_VALUES)
        images = (_image(attribute.get("skuImageUrl")) for attribute in attributes)
        option = ProductOption(
            spec_id=spec_id.lower(),  # as arguments are: hex digits in either case are one id
            sku_id=_offer_id(row.get("skuId")),
            values=tuple(_value(attribute, cleaned) for attribute in attributes),
            stock=_count(row.get("amountOnSale")),
            price=prices.fen(row.get("price")) if prices else None,
            image=next(filter(None, images), None),
            single_price=single.fen(row.get("retailPrice")),
        )
        known = seen.setdefault(option.spec_id, option)
        if known.values != option.values:
            raise NotReadableError("two options have one spec id")
        if known is option:
            yield option


def _cleaned(rows: list[JsonObject]) -> dict[object, str | None]:
    """The texts of all options, each cleaned once: a matrix repeats them, and cleaning takes time."""
    attributes = [each for row in rows for each in _rows(row.get("skuAttributes"), _MOST_VALUES)]
    raw = {each.get(name) for each in attributes for name in _VALUE if type(each.get(name)) in (str, int)}
    if sum(len(str(text)) for text in raw) > _MOST_TEXT:
        raise NotReadableError("the options have more text than any product")
    return {text: text_of(text) for text in raw}


def _value(attribute: JsonObject, cleaned: Mapping[object, str | None]) -> OptionValue:
    name, value, name_translated, value_translated = (
        cleaned.get(each) if type(each) in (str, int) else None for each in map(attribute.get, _VALUE)
    )
    if value is None and value_translated is None:
        raise NotReadableError("an option has a value without text")
    return OptionValue(name or "", value or value_translated or "", name_translated, value_translated)


def _tiers(rows: list[JsonObject], prices: ListPrices) -> tuple[PriceTier, ...]:
    """By quantity; none at all where one cannot be read, since the one before it would seem to hold there."""
    tiers: dict[int, int] = {}
    for row in rows:
        start, price = _count(row.get("startQuantity")), prices.fen(row.get("price"))
        if start is None or price is None or tiers.setdefault(start, price) != price:
            return ()
    return tuple(PriceTier(start, price) for start, price in sorted(tiers.items()))


def _found(row: JsonObject, prices: ListPrices) -> FoundProduct | None:
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


def _in(fields: JsonObject, name: str) -> JsonObject:
    return object_of(fields.get(name))


def _rows(value: object, most: int) -> list[JsonObject]:
    """The objects of a list; `null` is an empty one."""
    rows = cast("list[object]", value if isinstance(value, list) else [])
    if (value is not None and not isinstance(value, list)) or not all(isinstance(row, dict) for row in rows):
        raise NotReadableError("the answer has something else where a list of objects belongs")
    if len(rows) > most:
        raise NotReadableError(f"the answer has a list of more than {most}")
    return cast("list[JsonObject]", rows)


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


def _image(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) <= 600 and _IMAGE.fullmatch(value) else None

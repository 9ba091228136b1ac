"""An offer → the `data` of a product or search answer, in the shapes of 1688 and the sibling. Pure.

Field names, and prices as texts in yuan, are 1688's; how they come through Xportcn's KA was not read. In the
list shape a product is a list, as the preview has become, and a search its bare rows. Faults bring the native
wrapper, and prices in fen.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from xportcn_server.sandbox.catalogue import Bilingual, Offer, PriceRange, Sku
from xportcn_server.sandbox.jsontext import Json, yuan
from xportcn_server.sandbox.parsing import SearchBody
from xportcn_server.sandbox.pictures import picture_address
from xportcn_server.sandbox.shapes import AnswerShape

_MOST_FOUND = 2000  # 1688 counts no further
_RENAMED: Bilingual = ("升级款新标题", "Upgraded version")


def varied(offer: Offer, variation: str, catalogue: Mapping[int, Offer]) -> Offer:
    """The offer as the fault `variation` has it; the same one for any other."""
    match variation:
        case "other-offer":
            return next(other for other in catalogue.values() if other.offer_id != offer.offer_id)
        case "delisted":
            return replace(offer, status="member expired")
        case "renamed-title":
            return replace(offer, title=_RENAMED)
        case "changed-option":
            return replace(offer, skus=tuple(_changed(sku) for sku in offer.skus))
        case _:
            return offer


def _changed(sku: Sku) -> Sku:
    """The same spec, whose last value has another name."""
    if not sku.values:
        return sku
    value, translation = sku.values[-1]
    new: Bilingual = (f"{value}新款", f"New {translation}" if translation else None)
    return replace(sku, values=(*sku.values[:-1], new))


def product_data(offer: Offer, language: str, shape: AnswerShape, variation: str = "") -> Json:
    """The answer's `data`. Translations are into English; in another language they are null."""
    found = _Rendering(language, variation).product(offer)
    return _wrapped([found] if shape == "list" else found, variation)


def search_data(
    request: SearchBody, offers: Sequence[Offer], shape: AnswerShape, variation: str = ""
) -> Json:
    """A page of the offers on sale that have every word in a title.

    The characters of a Chinese word need to stand there in order only, an English word may end in one s more.
    Sorting by sales and repurchase goes by figures that are made up from the offer's id.
    """
    words = re.findall(r"[a-z0-9]+|[^\W\d_a-z]+", request.keyword.casefold())
    wanted = [re.compile(word.removesuffix("s") if word.isascii() else ".*".join(word)) for word in words]
    found = [offer for offer in offers if wanted and _fits(offer, wanted, request)]
    for name, descending in request.sort:
        found.sort(key=lambda offer, name=name: _figure(offer, name), reverse=descending)
    first = (request.page - 1) * request.page_size
    rendering = _Rendering(request.language, variation)
    rows = [rendering.row(offer) for offer in found[first : first + request.page_size]]
    page: Json = {
        "totalRecords": min(len(found), _MOST_FOUND),
        "totalPage": -(-len(found) // request.page_size),
        "pageSize": request.page_size,
        "currentPage": request.page,
        "data": rows or None,
    }
    return _wrapped(rows if shape == "list" else page, variation)


def _fits(offer: Offer, wanted: Sequence[re.Pattern[str]], request: SearchBody) -> bool:
    title = "\n".join(filter(None, offer.title)).casefold()
    return (
        offer.status == "published"
        and all(word.search(title) for word in wanted)
        and request.from_fen <= _lowest(offer).price_fen <= request.upto_fen
    )


def _wrapped(data: Json, variation: str) -> Json:
    if variation != "native-wrapper":
        return data
    return {"result": {"success": True, "code": "200", "message": "success", "result": data}}


@dataclass(frozen=True)
class _Rendering:
    """How texts and prices are written in one answer."""

    language: str
    variation: str

    def product(self, offer: Offer) -> Json:
        on_sale = offer.status == "published"
        return {
            "offerId": offer.offer_id,
            "subject": offer.title[0],
            "subjectTrans": self._translation(offer.title),
            "productImage": {"images": [image for image in [_image(offer)] if image], "whiteImage": None},
            "productSkuInfos": [self._sku(offer, sku) for sku in offer.skus if sku.values]
            if on_sale
            else None,
            "productSaleInfo": self._sale(offer) if on_sale else None,
            "productShippingInfo": {"sendGoodsAddressText": offer.seller.ships_from},
            "sellerOpenId": offer.seller.open_id,
            "minOrderQuantity": offer.minimum,
            "batchNumber": offer.lot,
            "status": offer.status,
            "sellerMixSetting": {"generalHunpi": offer.mixed_batch, "mixAmount": 30, "mixNumber": 5},
            "soldOut": str(_sold(offer) * 12),
            "description": "<p>sandbox</p>",
        }

    def row(self, offer: Offer) -> Json:
        lowest = _lowest(offer)
        return {
            "offerId": offer.offer_id,
            "subject": offer.title[0],
            "subjectTrans": self._translation(offer.title),
            "imageUrl": _image(offer),
            "priceInfo": self._prices(lowest.price_fen, lowest.member_fen),
            "minOrderQuantity": offer.minimum,
            "monthSold": _sold(offer),
            "repurchaseRate": f"{_repurchased(offer)}%",
        }

    def _sale(self, offer: Offer) -> Json:
        ranges = offer.price_ranges or (_lowest(offer),)
        retail = [sku.retail_fen for sku in offer.skus if sku.retail_fen]
        return {
            "amountOnSale": sum(sku.stock for sku in offer.skus),
            # 0: no specs, price ranges; 1: a price for each spec; 2: specs, but price ranges
            "quoteType": (2 if offer.price_ranges else 1) if offer.dimensions else 0,
            "unitInfo": {"unit": offer.unit[0], "transUnit": self._translation(offer.unit)},
            "retailPrice": self._price(min(retail, default=None)),
            "priceRangeList": [
                {"startQuantity": each.start, **self._prices(each.price_fen, each.member_fen)}
                for each in ranges
            ],
        }

    def _sku(self, offer: Offer, sku: Sku) -> Json:
        own = not offer.price_ranges
        return {
            "amountOnSale": sku.stock,
            **self._prices(sku.price_fen if own else None, sku.member_fen if own else None),
            "retailPrice": self._price(sku.retail_fen),
            "skuId": sku.sku_id,
            "specId": sku.spec_id,
            "skuAttributes": [
                {
                    "attributeName": name[0],
                    "attributeNameTrans": self._translation(name),
                    "value": value[0],
                    "valueTrans": self._translation(value),
                    "skuImageUrl": _image(offer, value[0]) if name[0] == "颜色" else None,
                }
                for name, value in zip(offer.dimensions, sku.values, strict=True)
            ],
        }

    def _prices(self, price_fen: int | None, member_fen: int | None) -> dict[str, Json]:
        return {"price": self._price(price_fen), "promotionPrice": self._price(member_fen)}

    def _price(self, fen: int | None) -> Json:
        """A text in yuan, or where the fault says so a whole number of fen."""
        if fen is None or self.variation == "whole-number-prices":
            return fen
        return str(yuan(fen))

    def _translation(self, text: Bilingual) -> str | None:
        return text[1] if self.language == "en" and self.variation != "null-translations" else None


def _image(offer: Offer, value: str = "") -> str | None:
    """The address of a drawing of ours, unless the offer has another or none."""
    return picture_address(offer.offer_id, value) if offer.image is None else offer.image or None


def _lowest(offer: Offer) -> PriceRange:
    """The price "from"."""
    if offer.price_ranges:
        return offer.price_ranges[-1]
    sku = min(offer.skus, key=lambda each: each.price_fen)
    return PriceRange(offer.minimum, sku.price_fen, sku.member_fen)


def _sold(offer: Offer) -> int:
    return offer.offer_id % 997


def _repurchased(offer: Offer) -> int:
    return offer.offer_id % 41


def _figure(offer: Offer, name: str) -> int:
    """What a search is sorted by."""
    match name:
        case "price":
            return _lowest(offer).price_fen
        case "monthSold":
            return _sold(offer)
        case _:
            return _repurchased(offer)

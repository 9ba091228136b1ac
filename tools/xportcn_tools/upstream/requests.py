"""Paths and request bodies, in the vendor's field names. Pure.

Those of preview, create and keyword search are documented; the detail call is the sibling's (inferred).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from xportcn_tools.money import yuan
from xportcn_tools.order import NO_FIELDS, AccountFields, Address, Item, OrderRequest, Pinned

PREVIEW_PATH = "/alibaba/ka/order/create/preview"
CREATE_PATH = "/alibaba/ka/order/create"
PRODUCT_PATH = "/alibaba/ka/product/detail/get"
OTHER_PRODUCT_PATH = "/alibaba/product/detail/get"
"""The sibling's own path: the second candidate, where the first is not found."""
SEARCH_PATH = "/alibaba/ka/product/keywords/query"

SearchSort = Literal["price_low", "price_high", "sales", "repurchase"]
_SORTS: Mapping[SearchSort, str] = {
    "price_low": '{"price":"asc"}',
    "price_high": '{"price":"desc"}',
    "sales": '{"monthSold":"desc"}',
    "repurchase": '{"rePurchaseRate":"desc"}',
}


@dataclass(frozen=True)
class Bodies:
    """Builds the two request bodies (documented field names)."""

    account: AccountFields = field(default=NO_FIELDS)

    def preview(self, request: OrderRequest) -> dict[str, Any]:
        return _set_only(
            {
                "aliId": self.account.ali_id,
                "flow": request.flow,
                "outOrderId": request.out_order_id,
                "addressParam": _address(request.address),
                "cargoParamList": [_cargo(item) for item in request.items],
            }
        )

    def create(self, request: OrderRequest, pinned: Pinned) -> dict[str, Any]:
        return _set_only(
            {
                "flow": pinned.flow,
                "message": request.message,
                "shopPromotionId": pinned.promotion_id,
                "tradeType": pinned.trade_type,
                "addressParam": _address(request.address),
                "cargoParamList": [_cargo(item) for item in request.items],
                "userId": self.account.user_id,
                "staffName": self.account.staff_name,
                "outOrderId": request.out_order_id,
                "developerId": self.account.developer_id,
                "platformOrder": self.account.platform_order,
                "dropshipping": _yes_or_no(request.dropshipping),
            }
        )


def product_request(offer_id: str, language: str) -> dict[str, Any]:
    """Ask for one product, its texts translated (the vendor calls the language `country`)."""
    return {"offerId": int(offer_id), "country": language}


@dataclass(frozen=True)
class SearchQuery:
    """What to search for. Pages count from 1; prices are in fen."""

    words: str
    page: int = 1
    limit: int = 5
    price_min: int | None = None
    price_max: int | None = None
    sort: SearchSort | None = None

    def body(self, language: str) -> dict[str, Any]:
        return _set_only(
            {
                "keyword": self.words,
                "beginPage": self.page,
                "pageSize": self.limit,
                "country": language,
                "sort": _SORTS[self.sort] if self.sort else None,
                "priceStart": None if self.price_min is None else yuan(self.price_min),
                "priceEnd": None if self.price_max is None else yuan(self.price_max),
            }
        )


def _yes_or_no(value: bool | None) -> str | None:
    if value is None:
        return None
    return "y" if value else "n"


def _address(address: Address) -> dict[str, Any]:
    return _set_only(
        {
            "fullName": address.full_name,
            "mobile": address.mobile,
            "phone": address.phone,
            "postCode": address.post_code,
            "cityText": address.city,
            "provinceText": address.province,
            "areaText": address.area,
            "townText": address.town,
            "address": address.address,
            "districtCode": address.district_code,
        }
    )


def _cargo(item: Item) -> dict[str, Any]:
    return _set_only(
        {
            "sellerOpenId": item.seller_open_id,
            "offerId": int(item.offer_id),
            "specId": item.spec_id,
            "quantity": item.quantity,
            "productNo": item.product_no,
            "container": item.container,
        }
    )


def _set_only(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}

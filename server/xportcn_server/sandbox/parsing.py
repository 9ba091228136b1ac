"""A request body, read and checked.

Field names and types of preview and create are documented (2025-09 schema), those of products are the
sibling's, those of order queries are inferred. That a field of another name or type is refused is
our invention: the real upstream most likely ignores it, but a sandbox that does so hides mistakes.
"""

import re
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from xportcn_server.sandbox import jsontext

Operation = Literal["preview", "create", "list", "details", "product", "sibling-product", "search"]
"""`sibling-product`: the product's details under the sibling's path, the second candidate."""

MAX_QUANTITY = 10**9  # pieces in a line (our invention; JSON can write numbers that no memory holds)

_SORT = TypeAdapter(dict[Literal["price", "monthSold", "rePurchaseRate"], Literal["asc", "desc"]])
_SAID = {"missing": "不能为空", "string_too_short": "不能为空", "extra_forbidden": "未知字段"}


class BadRequestError(Exception):
    """The body is not of the documented form; the text says where."""


def _pieces(value: object) -> object:
    """A quantity is a number on the wire, the vendor's own sample sends 2.0; half a piece is not for sale."""
    if isinstance(value, Decimal) and 0 < value <= MAX_QUANTITY and value == int(value):
        return int(value)
    return value


def _not_null(value: object) -> object:
    if value is None:
        raise ValueError
    return value


def _sort(value: object) -> object:
    """The figures of a JSON object in a string, such as `{"price": "asc"}`, the first of them last."""
    if not isinstance(value, str):
        raise ValueError
    wanted = _SORT.validate_json(value or "{}")
    return tuple((name, direction == "desc") for name, direction in reversed(wanted.items()))


def _fen(value: object) -> object:
    """The fen of a sum in yuan, rounded down."""
    if not isinstance(value, str) or not re.fullmatch(r"(\d{1,8}(\.\d{1,2})?)?", value):
        raise ValueError
    return int(Decimal(value or "0") * 100)


Given = Annotated[str, Field(min_length=1)]
MayBeEmpty = Annotated[str | None, BeforeValidator(_not_null), AfterValidator(lambda text: text or None)]
TranslatedInto = Literal["en", "ja", "ko", "ru", "vi", "es", "fr", "pt", "th", "id", "ar"]
PageNumber = Annotated[int, Field(ge=1)]
PageSize = Annotated[int, Field(ge=1, le=50)]  # rows of a list or a search (1688)


class _RequestBody(BaseModel):
    """An object of these fields alone, each of its exact type."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel)


class AddressBody(_RequestBody):
    full_name: Given
    mobile: Given
    province_text: Given
    city_text: Given
    address: Given
    phone: str = ""
    post_code: str = ""
    area_text: str = ""
    town_text: str = ""
    district_code: str = ""


class RequestedLine(_RequestBody):
    offer_id: int
    quantity: Annotated[int, BeforeValidator(_pieces), Field(ge=1, le=MAX_QUANTITY)]
    spec_id: MayBeEmpty = None
    seller_open_id: MayBeEmpty = None
    product_no: str = ""
    container: str = ""


class _GoodsAndAddress(_RequestBody):
    flow: str = ""
    out_order_id: str = ""
    address_param: AddressBody
    lines: list[RequestedLine] = Field(alias="cargoParamList", min_length=1, max_length=50)  # (1688)


class PreviewBody(_GoodsAndAddress):
    ali_id: str = ""
    trade_type: ClassVar[str] = ""
    promotion_id: ClassVar[str] = ""


class CreateBody(_GoodsAndAddress):
    message: str = Field("", max_length=500)  # characters (1688)
    promotion_id: str = Field("", alias="shopPromotionId")
    trade_type: str = ""
    user_id: str = ""
    staff_name: str = ""
    dropshipping: Literal["y", "n"] = "n"
    developer_id: int = 0
    platform_order: int = 0


OrderBody = PreviewBody | CreateBody


class ListBody(_RequestBody):
    """A page of the order list (the form is inferred)."""

    page: PageNumber = 1
    page_size: PageSize = 20
    out_order_id: str = ""


class DetailsBody(_RequestBody):
    web_site: Literal["1688"]
    order_id: Given


class ProductBody(_RequestBody):
    offer_id: int
    language: TranslatedInto = Field("en", alias="country")
    out_member_id: str = ""


class SearchBody(_RequestBody):
    """A page of a keyword search. `sort`: by which figures, the last first, and if descending."""

    keyword: Given
    language: TranslatedInto = Field("en", alias="country")
    page: PageNumber = Field(1, alias="beginPage")
    page_size: PageSize = 20
    sort: Annotated[tuple[tuple[str, bool], ...], BeforeValidator(_sort)] = ()
    from_fen: Annotated[int, BeforeValidator(_fen)] = Field(0, alias="priceStart")
    upto_fen: Annotated[int, BeforeValidator(_fen)] = Field(10**9, alias="priceEnd")
    filter: str = ""
    category_id: int | str = ""
    out_member_id: str = ""


B = TypeVar("B", bound=_RequestBody)


def read(kind: type[B], body: bytes) -> B:
    """The request in `body`. Raises BadRequestError."""
    try:
        return kind.model_validate(jsontext.decode(body))
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, wrong["loc"])) or "请求体"
        raise BadRequestError(f"{where}：{_SAID.get(wrong['type'], '类型或内容错误')}") from None
    except ValueError:
        raise BadRequestError("请求体不是JSON") from None

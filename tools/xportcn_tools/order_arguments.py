"""The objects among the arguments of `preview_order`: a line of goods, and an address. Pure."""

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from xportcn_tools.arguments import (
    Arguments,
    Id,
    TextLine,
    WholeNumber,
    pasted,
    refused,
    refused_whole,
    text_of,
)
from xportcn_tools.desk.address import is_known, is_municipality
from xportcn_tools.goods.links import offer_in, why_no_offer
from xportcn_tools.order import Address

MOST_PIECES = 1_000_000
MOST_CHARACTERS = 4000
_SEPARATORS = re.compile(r"[\s().\-\u2010-\u2015/]")
_EXTENSION = re.compile(r"(?:转|分机|ext\.?|extension|x|#|,|;)", re.IGNORECASE)
_CHINESE_MOBILE_AND_MORE = re.compile(r"(?:\+?86|0086)?1[3-9][0-9]{9}[0-9]{1,6}")


def _mobile(text: str) -> str:
    """`+86 138-0013-8000` is +8613800138000. A number with an extension is no mobile number upstream."""
    bare = _SEPARATORS.sub("", text)
    if _EXTENSION.search(text) or (bare != text and _CHINESE_MOBILE_AND_MORE.fullmatch(bare)):
        raise refused(
            "a number with an extension goes into phone as a whole, such as 18412345678-1234, and its first "
            "11 digits into mobile"
        )
    return bare


def _phone(text: str) -> str:
    """`18412345678转1234` is 18412345678-1234."""
    return re.sub(r"\s*-\s*", "-", _EXTENSION.sub("-", re.sub("[\u2010-\u2015]", "-", text)))


def _spec(text: str) -> str:
    if re.fullmatch(r"[0-9]{9,19}", text):
        raise refused("this is a number, like a sku_id; the spec_id of the same option is needed")
    if not re.fullmatch(r"[0-9A-Fa-f]{32}", text):
        raise refused("is not a spec id, and words such as a colour do not name one")
    return text.lower()


def _known_code(code: str) -> str:
    """A GB/T 2260 code begins with the four digits of a prefecture."""
    if not is_known(code):
        raise refused("its first four digits are those of no city or prefecture of China")
    return code


def _city_or_municipality(city: str | None, info: ValidationInfo) -> str:
    """Beijing and its like are city and province in one."""
    province = str(info.data.get("province") or "")
    if city is None and not is_municipality(province):
        raise PydanticCustomError("missing", "city")
    return city or province


class PostCode(Id):
    """A number of five digits has lost its leading zero."""

    def read(self, value: object) -> str:
        if isinstance(value, int) and not isinstance(value, bool) and 10_000 <= value <= 99_999:
            value = f"0{value}"
        return super().read(value)


class OfferText(Id):
    """The id of an offer, or any text with its link in it; the text of the latter stays as it is."""

    def read(self, value: object) -> str:
        text = pasted(text_of(value))
        if len(text) > MOST_CHARACTERS:
            raise refused(f"is longer than {MOST_CHARACTERS} characters")
        if offer_in(text) is None:
            raise refused_whole(why_no_offer(text))
        return text


OfferOrLink = Annotated[str, OfferText("")]
OptionWords = Annotated[str | None, TextLine(200, number=True, typed=True)]
OptionalName = Annotated[str | None, TextLine(64)]
Reference = Annotated[str | None, TextLine(64, number=True)]


class ItemArgument(Arguments):
    offer_id: Annotated[OfferOrLink, Field(description="1688 offer id, or text with its link")]
    spec_id: Annotated[
        str | None,
        Id(r"[0-9a-f]{32}", _spec),
        Field(description="32 hex digits"),
    ] = None
    option: Annotated[
        OptionWords, Field(description="Instead of spec_id: the option in words, like red, L")
    ] = None
    quantity: Annotated[int, Field(ge=1, le=MOST_PIECES), WholeNumber]
    seller_open_id: Reference = None
    product_no: Reference = None
    container: OptionalName = None


class AddressArgument(Arguments):
    full_name: Annotated[str, TextLine(64)]
    mobile: Annotated[str, Id(r"\+?[0-9]{5,19}", _mobile), Field(description="Digits; + if abroad")]
    province: Annotated[str, TextLine(64)]
    city: Annotated[
        str | None,
        TextLine(64),
        AfterValidator(_city_or_municipality),
        Field(validate_default=True, description="Not needed for Beijing and its like"),
    ] = None
    address: Annotated[str, TextLine(200), Field(description="Street and number")]
    area: Annotated[str | None, TextLine(64), Field(description="District")] = None
    town: OptionalName = None
    post_code: Annotated[str | None, PostCode(r"[0-9A-Za-z][0-9A-Za-z -]{2,9}")] = None
    phone: Annotated[str | None, Id(r"[0-9+() -]{3,32}", _phone)] = None
    district_code: Annotated[
        str | None,
        Id(r"[0-9]{6}"),
        AfterValidator(_known_code),
        Field(description="GB/T 2260, six digits; wins over the texts"),
    ] = None


def saved_address(fields: Mapping[str, object]) -> Address:
    """An address of the owner's book, checked like one that is sent.

    Raises:
        ValidationError: it is no longer complete.
    """
    return Address(**AddressArgument.model_validate(fields).model_dump())

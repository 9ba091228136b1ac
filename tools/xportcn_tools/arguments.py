"""How arguments are read, shared by the tools: what is taken, what is folded, and how the rest is refused.

Null, and an empty text, mean that an argument is left out, at any depth. Numbers that people paste are
folded. Objects and lists that arrive as JSON strings (some clients do that) are read. A whole number is
taken for an id while it is below 2^53; above it, clients damage it. Each refusal says which form is taken,
with an example: `FORMS` is the one list of them.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

from annotated_types import GroupedMetadata
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from xportcn_tools.results import ProblemError, wrong_arguments
from xportcn_tools.upstream.clean import seen

MOST_FIELDS_NAMED = 20
_SAFE_NUMBER = 2**53
_VISIBLE = re.compile("[!-~\u4e00-\u9fcc]")
_WORDS_FOR_NOTHING = frozenset(("null", "none", "undefined", "n/a"))

_CURRENCY = re.compile(r"^(?:(?:CNY|RMB|CN¥|¥)\s*)+|(?:\s*(?:CNY|RMB|元|yuan))+$", re.IGNORECASE)

_LINE = '{"offer_id": "610947572360", "spec_id": "b266e0726506185beaf205cbae88530d", "quantity": 2}'
FORMS = {
    "offer": 'a 1688 offer id, or a text with its link, such as "https://detail.1688.com/offer/610947572360.html"',
    "option": 'words of one option, such as "red, L"',
    "query": 'words of up to 100 characters, such as "ceramic mug"',
    "price_min": 'an amount in yuan, such as "5.00"',
    "price_max": 'an amount in yuan, such as "20.00"',
    "sort": 'one of price_low, price_high, sales, repurchase, such as "sales"',
    "page": "a whole number from 1 to 100, such as 1",
    "items": f"a list of 1 to 50 lines, such as [{_LINE}]",
    "item": f"an object such as {_LINE}",
    "offer_id": 'the digits of a 1688 offer, such as "610947572360", or a text with its link',
    "spec_id": 'the 32 hex digits of a spec, such as "b266e0726506185beaf205cbae88530d"',
    "quantity": "a whole number from 1 to 1000000, such as 2",
    "seller_open_id": 'the seller\'s id of up to 64 characters, such as "BBBsandboxYiwuHousehold01"',
    "product_no": 'the buyer\'s own product number of up to 64 characters, such as "SKU-12"',
    "container": 'up to 64 characters, such as "box 3"',
    "address": 'an object such as {"full_name": "王小明", "mobile": "13800138000", "province": "浙江省", '
    '"city": "杭州市", "address": "网商路699号"}',
    "full_name": 'the recipient\'s name of up to 64 characters, such as "王小明"',
    "mobile": 'a mobile number of 5 to 19 digits, with + if abroad, such as "13800138000"',
    "province": 'the province of up to 64 characters, such as "浙江省"',
    "city": 'the city of up to 64 characters, such as "杭州市"',
    "address.address": 'street and number of up to 200 characters, such as "网商路699号"',
    "area": 'the district of up to 64 characters, such as "滨江区"',
    "town": 'the street or town of up to 64 characters, such as "长河街道"',
    "post_code": 'a postcode of 3 to 10 digits or letters, such as "310052"',
    "phone": 'a telephone number of 3 to 32 characters, such as "0571-88888888"',
    "district_code": 'the six digits of a district (GB/T 2260), such as "330108"',
    "address_name": 'the name of a saved address, such as "warehouse"',
    "flow": 'a 1688 flow of letters, digits and _, such as "general"',
    "trade_type": 'a 1688 trade type of letters, digits and _, such as "alipay"',
    "promotion_id": 'the promotion_id of a promotion that a preview listed, such as "shop-100-5"',
    "message": 'a text of up to 500 characters, such as "请尽快发货"',
    "dropshipping": "true or false, such as true",
    "out_order_id": '6 to 64 of letters, digits and . _ -, not beginning with -, such as "PO-2026-0815"',
    "preview_token": 'the token of a preview, as in its create_order_arguments, such as "pv_01AbC…"',
    "expected_total": 'the preview\'s total in yuan as text, such as "65.61"',
    "ship_to": 'the preview\'s ship_to, such as "王小明, 13800138000, 浙江省 杭州市 网商路699号"',
    "goods": 'the preview\'s goods, such as "2 × offer 610947572360 spec b266e072…530d"',
    "reference": 'a preview_token, out_order_id or order id, such as "xp20261125-7K3QTR9WM2CD"',
    "state": 'one of sending, placed, rejected, unknown, absent, such as "placed"',
    "limit": "a whole number from 1 to 50, such as 10",
    "since": 'a day, such as "2026-11-25"',
    "until": 'a day, such as "2026-11-25"',
    "before": 'next_before of the last answer, such as "xp20261125-7K3QTR9WM2CD"',
    "refresh": "true or false, such as true",
}
"""The form of each argument in words, with an example."""


def refused(reason: str) -> PydanticCustomError:
    """A refusal in our words; `reason` says what is wrong, the form that is taken comes behind it."""
    return PydanticCustomError("form", "{reason}", {"reason": reason})


def refused_whole(reason: str) -> PydanticCustomError:
    """The same, for a reason that says itself which form is taken."""
    return PydanticCustomError("whole", "{reason}", {"reason": reason})


def _blank(value: object) -> bool:
    """Null, an empty text, or an object of nothing but these."""
    if isinstance(value, dict):
        parts = list(cast("dict[str, object]", value).values())
        return bool(parts) and all(map(_blank, parts))
    return value is None or (isinstance(value, str) and not _VISIBLE.search(value) and not pasted(value))


class Arguments(BaseModel):
    """Arguments of a tool, or an object among them: unknown names are refused, empty ones left out."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _left_out(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        fields = cast("dict[str, object]", data)
        known = cls.model_fields
        return {name: value for name, value in fields.items() if name not in known or not _blank(value)}


def pasted(text: str) -> str:
    """A number or id as a person pasted it: half width, nothing invisible, no white space around it."""
    noted = any(unicodedata.category(each) == "No" for each in text)  # 20² and 20① are not 202 and 201
    return seen(text if noted else unicodedata.normalize("NFKC", text))[0].strip()


def text_of(value: object) -> str:
    """A text, or a whole number that no client has damaged on the way."""
    if isinstance(value, str):
        if value.strip().casefold() in _WORDS_FOR_NOTHING:
            raise refused(
                f'the word "{value.strip()}" is no value; to leave an argument out, pass null or omit it'
            )
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        if value >= _SAFE_NUMBER:
            raise refused("a number of this size arrives damaged; pass it as a string")
        return str(value)
    raise refused("is not a text")


def _words(value: object) -> str:
    """Words of a person: a number is none."""
    return text_of(value if isinstance(value, str) else object())


@dataclass(frozen=True)
class TextLine(GroupedMetadata):
    """One line of text of at most `most` characters, all of which a person sees; blanks are one space.

    `number`: it is an id, so that a whole number is taken. `typed`: line breaks are blanks, for a person
    typed it.
    """

    most: int
    number: bool = False
    typed: bool = False

    def __iter__(self) -> Iterator[object]:
        yield BeforeValidator(self.read)

    def read(self, value: object) -> str | None:
        if value is None:
            return None
        text = text_of(value) if self.number else _words(value)
        if not self.typed and len(text.strip().splitlines()) > 1:
            raise refused("has a line break in it")
        text, unseen = seen(text)
        if unseen:
            name = unicodedata.name(unseen[0], "without a name")
            raise refused(f"has a character in it that a person does not see (U+{ord(unseen[0]):04X} {name})")
        text = " ".join(text.split())
        if len(text) > self.most:
            raise refused(f"is longer than {self.most} characters")
        return text


@dataclass(frozen=True)
class Id(GroupedMetadata):
    """What a person may have pasted, of a fixed form once it is folded by `fold`.

    `number`: it is an id or the like, so that a whole number is taken.
    """

    pattern: str
    fold: Callable[[str], str] = pasted
    number: bool = True

    def __iter__(self) -> Iterator[object]:
        yield BeforeValidator(self.read)

    def read(self, value: object) -> str:
        text = self.fold(pasted(text_of(value) if self.number else _words(value)))
        if not re.fullmatch(self.pattern, text):
            raise refused("is not of the form that is taken")
        return text


def plain_amount(text: str) -> str:
    """`¥1,065.61`, `1065.61 CNY` and `1065.61元` as `1065.61`; what is no such amount stays as it is."""
    bare = _CURRENCY.sub("", text).strip()
    return bare.replace(",", "") if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", bare) else bare


def _from_json(value: object) -> object:
    """An object or a list that a client sent as its JSON text."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _whole(value: object) -> object:
    text = pasted(value) if isinstance(value, str) else value
    if isinstance(value, bool) or (
        isinstance(text, str) and not re.fullmatch(r"[0-9]{1,18}(\.0{1,2})?", text)
    ):
        raise refused("is not a whole number")  # 1.000 may be a thousand
    return text


FromJson = BeforeValidator(_from_json)
WholeNumber = BeforeValidator(_whole)


def invalid_arguments(error: ValidationError) -> ProblemError:
    """Names each field that is wrong and the form that is taken; what was sent is not repeated."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    fields = [{"field": _field(item), "message": _message(item)} for item in found[:MOST_FIELDS_NAMED]]
    return wrong_arguments(fields, len(found) - len(fields))


def _field(item: ErrorDetails) -> str:
    path = ""
    for part in item["loc"]:
        name = part if isinstance(part, int) else part[:64].encode("ascii", "replace").decode()
        path += f"[{name}]" if isinstance(part, int) else f".{name}" if path else f"{name}"
    return path or "arguments"


def _message(item: ErrorDetails) -> str:
    if item["type"] == "extra_forbidden":
        return "is not an argument here; leave it out"
    names = [part for part in item["loc"] if isinstance(part, str)]
    if item["loc"] and isinstance(item["loc"][-1], int):
        names = ["item"]
    form = FORMS.get(".".join(names[-2:])) or FORMS[names[-1]]
    if item["type"] in ("missing", "missing_argument"):
        return f"is required; give {form}"
    if item["type"] == "whole":
        return item["msg"]
    if item["type"] == "form":
        return f"{item['msg']}; give {form}"
    return f"must be {form}"

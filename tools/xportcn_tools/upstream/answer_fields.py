"""The fields of an answer to a create, at any depth, and what their names say. Pure.

The names are inferred from the platform's neighbours.
"""

import json
import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

_MOST_NODES = 20_000
_MOST_TEXT = 50_000

OUR_NUMBER = ("outorderid", "outorderno")
"""Folded: small letters, without `_`. These repeat the number that we sent."""

ORDER_NUMBER = re.compile(
    r"(?:main|parent|sub|biz|ali|trade)?orders?(?:id|no|sn|code|number|list)?s?(?:str|list)?|idofstr|payurl|订单(?:编?号|id)"
    r"|(?!min|max)(?:.*(?<!b)order|purchase|trade|deal|bill|po)(?:id|no|sn|code|num|number)s?(?:str|list)?"
)
"""Folded likewise. What stands in such a field, but for 0, means that an order may exist."""

ORDERS = re.compile(r"(?:success_?)?orders?(?:_?list)?", re.IGNORECASE)
"""What is not empty in such a field means the same, be it a list or an object."""

OTHER_NUMBER = re.compile(
    r".*(trace|request|member|develop|offer|sku|spec|user|ali|open|login|seller|buyer|product|category)_?id(s|str)?"
    r"|.*(time|timestamp|date|phone|mobile)|out_?order_?(id|no)",
    re.IGNORECASE,
)
"""Long numbers in such fields name something else than an order."""

_WORDS = re.compile(
    r".*(msg|message|code|info|desc|reason|result|status|state|error|exception|cause|detail|remark|tip|hint|note"
    r"|warn).*",
    re.IGNORECASE,
)
_OF_GOODS = re.compile(
    r".*(product|sku|goods|item|cargo|offer|spec)_?(code|info|detail|desc|remark|note)s?", re.IGNORECASE
)

FAILED_PART = re.compile(r".*(fail|unordered|rejected|partial).*", re.IGNORECASE)
_LEFT_OUT = re.compile(
    r".*(error|invalid|unavail|sold_?out|stock|lack|short|missing|remov|skip|ignor|exclu|dropped|omit|cancel|closed"
    r"|not_?(?:order|found|placed|created|match)|unmatch|un_?success|ineligib|off_?(?:line|sale|shel)|left_?out).*",
    re.IGNORECASE,
)
"""A list in such a field, beside ids, is of goods that were not ordered."""
_COUNTS = re.compile(
    r".*(success|succeed|created|(?<!not)(?<!not_)exist|repeat|duplicat|conflict|placed).*|ok|done"
    r"|(?:ok|done|ordered|bought)_?(?:list|items|goods|offers?|skus?)",
    re.IGNORECASE,
)
_FAILURE = re.compile(
    r".*(err|fail|invalid|illegal|reject|refus|deny|denied|forbid|sold_?out|stock|missing|required|exceed|expire)"
    r".*|(?:.*_)?not?_?exists?|un_?success\w*",
    re.IGNORECASE,
)
"""Flags that are raised where there is no order."""
_HANDLE = re.compile(r"(?=[^0-9]*[0-9])[\w.:+=|/-]+", re.ASCII)


_LONG_NUMBER = re.compile(r"(?<![0-9A-Za-z_])[0-9]{15,20}(?![0-9A-Za-z_])")
"""What may be an order's id (19 digits on 1688) in a text: not digits inside a spec or trace id."""


def every_field(whole: object) -> list[tuple[str, Any]] | None:
    """Every named value, at any depth, also of JSON inside a text; `None` where there is too much to judge.

    What stands in a list has the name of the list.
    """
    waiting: list[tuple[str, object]] = [("", whole)]
    found: list[tuple[str, Any]] = []
    length = 0
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, str):
            length += len(value)
            value = _inside(value)
        if name:
            length += len(name)
            found.append((name, value))
        if isinstance(value, dict):
            waiting += cast("dict[str, object]", value).items()
        elif isinstance(value, list):
            waiting += [(name, item) for item in cast("list[object]", value)]
        if len(found) + len(waiting) > _MOST_NODES or length > _MOST_TEXT:
            return None
    return found


def _inside(text: str) -> object:
    """The object or list that a text is the JSON of, else the text."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return json.loads(text, strict=False, parse_float=Decimal, object_pairs_hook=_once_each)
    except (ValueError, RecursionError, ArithmeticError):
        return text


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(fields := dict(pairs)) != len(pairs):
        raise ValueError
    return fields


def is_handle(name: str, text: str) -> bool:
    """Whether this is the id or time of something else than an order, and no words."""
    return bool(OTHER_NUMBER.fullmatch(name) and _HANDLE.fullmatch(text))


def is_order_number(name: str, text: str) -> bool:
    """Whether this may be an order's number, by the name of its field."""
    folded = name.replace("_", "").casefold()
    if folded in OUR_NUMBER or not text.strip("0.") or text.casefold() in ("null", "none"):
        return False
    return bool(ORDER_NUMBER.fullmatch(folded)) or (folded == "id" and text.isdecimal())


def is_number_of_another(name: str, value: object, sent: frozenset[str]) -> bool:
    """Whether this repeats the buyer's number of another request than the one in which these were sent."""
    number, ours = str(value or "").strip().casefold(), {text.casefold() for text in sent}
    return name.replace("_", "").casefold() in OUR_NUMBER and bool(number and sent) and number not in ours


def is_words(name: str) -> bool:
    """Whether this is what the upstream says of the request, not of its goods."""
    return bool(_WORDS.fullmatch(name)) and not _OF_GOODS.fullmatch(name)


def is_failed_part(name: str, value: object) -> bool:
    """Goods that failed, a count of them, or a flag that says so."""
    if not value:
        return False
    if not FAILED_PART.fullmatch(name):
        return isinstance(value, list) and bool(_LEFT_OUT.fullmatch(name))
    return (
        isinstance(value, list | dict)
        or value is True
        or (isinstance(value, int) and "code" not in name.lower())
    )


def is_raised(name: str, value: object) -> bool:
    """A flag, a count or a list of successes, that speaks for an order."""
    if isinstance(value, dict | list):
        return value not in ([], {}) and bool(_COUNTS.fullmatch(name)) and not _FAILURE.fullmatch(name)
    text = str(value).strip().casefold()
    if text in ("true", "yes", "y"):
        return not _FAILURE.fullmatch(name)
    return bool(_COUNTS.fullmatch(name) and (text in ("t", "ok") or (text.isdecimal() and text.strip("0"))))


def long_number(texts: Iterable[str]) -> str | None:
    """The first number that may be an order's id."""
    numbers = (match[0] for text in texts for match in _LONG_NUMBER.finditer(text))
    return next((each for each in numbers if not _is_time(each)), None)


def _is_time(number: str) -> bool:
    """`yyyyMMddHHmmssSSS`, as 1688 writes times."""
    if len(number) != 17:
        return False
    try:
        return 2000 <= datetime.strptime(number[:14], "%Y%m%d%H%M%S").year < 2100  # noqa: DTZ007 - a form
    except ValueError:
        return False

"""What an answer to a create means: placed, refused, or unclear. Pure.

Placed   HTTP 200, code 200, order ids, and nothing in it that speaks of failure or of a part.
Refused  HTTP 200 or 4xx with a readable envelope and a positive sign (a documented refusal, or words that
         refuse), no word of doubt beside it, no `success: true`, no id of an order.
Unclear  everything else: an order may or may not exist. It keeps what the answer said and any id seen.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeGuard, cast

from xportcn_tools.upstream import answer_fields, refusal_signs
from xportcn_tools.upstream.clean import clean
from xportcn_tools.upstream.envelope import UpstreamEnvelope, order_id_of
from xportcn_tools.upstream.words import cause_of

_LONG_NUMBER = re.compile(r"(?<![0-9A-Za-z_])[0-9]{15,20}(?![0-9A-Za-z_])")
"""What may be an order's id (19 digits on 1688) in a text: not digits inside a spec or trace id."""
_MAKES_NO_ORDER = frozenset((408, 409, 425, 499))
"""4xx that say nothing of the request's fate."""
_NO_FAILURE = (None, "", 0, "0", 200, "200", "SUCCESS")
_MOST_NODES = 20_000


@dataclass(frozen=True)
class Reply:
    """An answer that came: its HTTP status, and its envelope or why there is none that can be read."""

    status: int
    envelope: UpstreamEnvelope | None
    unreadable: str | None = None
    retry_after: int | None = None
    """The seconds that the upstream asks to wait, where it does (`Retry-After`)."""
    body: bytes = field(default=b"", repr=False, compare=False)
    """As it came, for `doctor` alone: nothing in it is cleaned."""

    @property
    def request_id(self) -> str | None:
        return self.envelope.request_id if self.envelope else None

    @property
    def code(self) -> str:
        """The envelope's code, else the HTTP status, for people."""
        if self.envelope is None or self.envelope.code is None:
            return f"HTTP {self.status}"
        return str(self.envelope.code)

    @property
    def text(self) -> str:
        """The upstream's own words (cleaned), else what could not be read."""
        if self.envelope is None:
            return self.unreadable or "no envelope"
        return self.envelope.message or "no message"


@dataclass(frozen=True)
class Placed:
    """The upstream names the orders that it made."""

    order_ids: tuple[str, ...]
    request_id: str | None


@dataclass(frozen=True)
class Refused:
    """The upstream says that it made no order."""

    code: str
    text: str
    request_id: str | None
    unauthorized: bool


@dataclass(frozen=True)
class Unclear:
    """The request left, and what came back does not say whether the whole order exists.

    `order_ids`: those that the answer names as made. `text`: the upstream's own words, cleaned.
    """

    reason: str
    request_id: str | None = None
    order_ids: tuple[str, ...] = ()
    text: str | None = None


def is_unauthorized(reply: Reply) -> bool:
    """Key, signature or clock refused, as far as codes and words tell (inferred)."""
    if reply.status in (401, 403):
        return True
    envelope = reply.envelope
    if envelope is None or not envelope.refuses:
        return False
    return cause_of(envelope.code, envelope.message) in ("signature", "key", "clock", "permission")


def sort_create(reply: Reply, out_order_id: str | None = None) -> Placed | Refused | Unclear:
    """The one place that decides what an answer to a create means.

    `out_order_id`: the number that we sent; an answer that repeats it names no order of its own by it.
    """
    envelope = reply.envelope
    if envelope is None:
        return Unclear(f"HTTP {reply.status}, {reply.unreadable or 'no readable answer'}")
    answer = _CreateAnswer(reply, envelope, out_order_id)
    ids = answer.documented_ids()
    if reply.status == 200 and envelope.succeeded and ids:
        return answer.placed(ids)
    if ids is None:
        return answer.unclear(f"order ids that cannot be read beside code {_named(envelope.code)}")
    if ids:
        return answer.unclear(f"order ids ({', '.join(ids)}) beside code {_named(envelope.code)}", ids)
    if hint := answer.hint():
        return answer.unclear(f"what may be an order id ({hint}) beside code {_named(envelope.code)}")
    if answer.is_refusal():
        return Refused(reply.code, answer.said or reply.text, envelope.request_id, is_unauthorized(reply))
    if envelope.succeeded and reply.status == 200:
        return answer.unclear("code 200 without order ids")
    return answer.unclear(f"HTTP {reply.status}, code {_named(envelope.code)}")


class _CreateAnswer:
    """One readable answer to a create, and what can be read off it."""

    def __init__(self, reply: Reply, envelope: UpstreamEnvelope, out_order_id: str | None) -> None:
        self._reply = reply
        self._envelope = envelope
        self._ours = out_order_id
        self._fields = list(_fields({"data": envelope.data, "beside": envelope.beside}))
        texts = [clean(value) for name, value in self._fields if _is_said(name, value)]
        self._beside_message = _joined(texts)
        self.said = clean(_joined([envelope.message or "", *texts]))

    def unclear(self, reason: str, order_ids: tuple[str, ...] = ()) -> Unclear:
        code = self._envelope.code
        in_words = code if isinstance(code, str) and _named(code) != code else ""
        text = clean(_joined([in_words, self.said]))
        return Unclear(reason, self._envelope.request_id, order_ids, text or None)

    def documented_ids(self) -> tuple[str, ...] | None:
        """`data.orderIds` as strings; `()` if absent, `None` if they cannot be read."""
        data = self._envelope.data
        value = cast("Mapping[str, Any]", data).get("orderIds") if isinstance(data, dict) else None
        if value is None:
            return ()
        if not isinstance(value, list):
            return None
        ids = [order_id_of(item) for item in cast("list[object]", value)]
        named = [order_id for order_id in ids if order_id]
        return tuple(dict.fromkeys(named)) if len(named) == len(ids) else None

    def placed(self, ids: tuple[str, ...]) -> Placed | Unclear:
        """Placed, unless anything in the answer speaks of a failure or of a part."""
        named = ", ".join(ids)
        missing = self._failed_offers()
        if missing is not None:
            offers = f"; not ordered: offers {', '.join(missing)}" if missing else ""
            return self.unclear(f"order ids ({named}) for a part of the goods{offers}", ids)
        if self._envelope.reports_failure or refusal_signs.speaks_of_a_part(self.said):
            return self.unclear(f"order ids ({named}) beside a sign of failure", ids)
        return Placed(ids, self._envelope.request_id)

    def _failed_offers(self) -> list[str] | None:
        """The offers that the answer says were not ordered; `None` where it speaks of no part."""
        parts: list[object] = [
            value
            for name, value in self._fields
            if (answer_fields.FAILED_PART.fullmatch(name) and value and isinstance(value, list | dict))
            or (name not in ("data", "beside") and _failed(value))
        ]
        if not parts:
            return None
        offers = [str(value) for name, value in _fields({"offers": parts}) if _names_offer(name, value)]
        return list(dict.fromkeys(offers))

    def hint(self) -> str | None:
        """An id that may be an order's, also where the documentation has none."""
        for name, value in self._fields:
            if isinstance(value, list) and value and answer_fields.ORDERS.fullmatch(name):
                return "a list of orders"
            if isinstance(value, bool) or not isinstance(value, str | int):
                continue
            text = str(value).strip()
            folded = name.replace("_", "").casefold()
            if text == self._ours or folded in answer_fields.OUR_NUMBER:
                continue
            if (
                answer_fields.ORDER_NUMBER.fullmatch(folded)
                and text.strip("0")
                and text.casefold() not in ("null", "none")
            ):
                return clean(text)[:64]
            if not answer_fields.OTHER_NUMBER.fullmatch(name) and (found := self._long_number(text)):
                return found
        return self._long_number(self._envelope.message or "")

    def _long_number(self, text: str) -> str | None:
        numbers = (match[0] for match in _LONG_NUMBER.finditer(text))
        return next((each for each in numbers if each != self._ours and not _is_time(each)), None)

    def is_refusal(self) -> bool:
        """A positive sign and no doubt beside it."""
        status, code = self._reply.status, self._envelope.code
        if status != 200 and not (400 <= status < 500 and status not in _MAKES_NO_ORDER):
            return False
        if any(_is_success(name, value) for name, value in self._fields):
            return False
        said = self.said
        if self._envelope.succeeded:
            if status != 200 or not any(name == "success" and _is_no(value) for name, value in self._fields):
                return False
            said, code = self._beside_message, None  # the envelope's own 成功 says nothing here
        if refusal_signs.is_documented_refusal(f"{code} {said}"):
            return True
        if _is_of_success(code) or not refusal_signs.refuses(code, said):
            return False
        words = f"{code} {said}" if isinstance(code, str) else said
        return not refusal_signs.doubts(words, asked_to_wait=429 in (status, code))


def _named(code: int | str | None) -> str:
    """A code as it stands in our own sentence; one in words is the upstream's text, and stands with it."""
    plain = isinstance(code, int) or (code is not None and re.fullmatch(r"[A-Za-z]{0,4}[0-9_-]{1,16}", code))
    return str(code) if plain else "in words" if code else "absent"


def _joined(texts: list[str]) -> str:
    return " | ".join(dict.fromkeys(text for text in texts if text))


def _fields(whole: object) -> Iterator[tuple[str, Any]]:
    """Every named value, at any depth; what stands in a list has the name of the list. Bounded."""
    waiting: list[tuple[str, object]] = [("", whole)]
    for _ in range(_MOST_NODES):
        if not waiting:
            return
        name, value = waiting.pop()
        if name:
            yield name, value
        if isinstance(value, dict):
            waiting += cast("dict[str, object]", value).items()
        elif isinstance(value, list):
            waiting += [(name, item) for item in cast("list[object]", value)]


def _is_said(name: str, value: object) -> TypeGuard[str]:
    return isinstance(value, str) and (
        name in ("data", "beside") or bool(answer_fields.WORDS.fullmatch(name))
    )


def _is_no(value: object) -> bool:
    return value is not None and str(value).strip().casefold() in ("false", "0", "no", "n", "f")


def _failed(part: object) -> bool:
    if not isinstance(part, dict):
        return False
    fields = cast("dict[str, Any]", part)
    return _is_no(fields.get("success")) or fields.get("errorCode") not in _NO_FAILURE


def _is_success(name: str, value: object) -> bool:
    if isinstance(value, dict | list) or not answer_fields.SUCCESS.fullmatch(name):
        return False
    text = str(value).strip().casefold()
    return text in ("true", "yes", "y") or (text.isdecimal() and text.strip("0") != "")


def _is_of_success(code: int | str | None) -> bool:
    """0 and 201 to 299 are how other programs say that all is well."""
    if isinstance(code, int):
        return code == 0 or 200 <= code <= 299
    return code is not None and code.strip().casefold() in ("ok", "true")


def _names_offer(name: str, value: object) -> bool:
    of_offers = name in ("offers", "offerId", "offer_id") or bool(answer_fields.FAILED_PART.fullmatch(name))
    return of_offers and not isinstance(value, bool) and bool(re.fullmatch("[0-9]{6,19}", str(value)))


def _is_time(number: str) -> bool:
    """`yyyyMMddHHmmssSSS`, as 1688 writes times."""
    if len(number) != 17:
        return False
    try:
        return 2000 <= datetime.strptime(number[:14], "%Y%m%d%H%M%S").year < 2100  # noqa: DTZ007 - a form
    except ValueError:
        return False

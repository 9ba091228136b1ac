"""What an answer to a create means: placed, refused, or unclear. Pure.

Placed   HTTP 200, code 200, order ids, and nothing in it that speaks of failure or of a part.
Refused  HTTP 200 or 4xx with a readable envelope and a positive sign (a documented refusal, or words that
         refuse), no word of doubt beside it, no `success: true`, no id of an order.
Unclear  everything else: an order may or may not exist. It keeps what the answer said and any id seen.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, cast

from xportcn_tools.upstream import answer_fields, refusal_signs
from xportcn_tools.upstream.clean import clean, one_line
from xportcn_tools.upstream.envelope import UpstreamEnvelope, is_no, order_id_of, reports_failure
from xportcn_tools.upstream.words import cause_of

_MAKES_NO_ORDER = frozenset((408, 409, 425, 499))
"""4xx that say nothing of the request's fate."""
_WELL = re.compile(r"\W*(?:操作|请求|调用|处理)?(?:成功|success(?:ful(?:ly)?)?|ok)\W*", re.IGNORECASE)
"""The envelope's own words beside code 200."""


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


def sort_create(
    reply: Reply, out_order_id: str | None = None, sent: Mapping[str, Any] | None = None, groups: int = 1
) -> Placed | Refused | Unclear:
    """The one place that decides what an answer to a create means.

    `out_order_id`, `sent`: our number and the request. An answer that repeats them says nothing by it.
    `groups`: the separate orders that were shown; fewer ids are a part.
    """
    envelope = reply.envelope
    if envelope is None:
        return Unclear(f"HTTP {reply.status}, {reply.unreadable or 'no readable answer'}")
    fields = answer_fields.every_field(_judged(envelope))
    answer = _CreateAnswer(reply, envelope, _numbers(out_order_id, sent), fields or [])
    ids = answer.documented_ids()
    if fields is None:
        return answer.unclear("the answer is too large to be judged", ids or ())
    if reply.status == 200 and envelope.succeeded and ids:
        return answer.placed(ids, groups)
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


def _judged(envelope: UpstreamEnvelope) -> dict[str, Any]:
    """All that the answer says, but for the word of success that belongs to code 200."""
    fields = dict(cast("Mapping[str, Any]", envelope.whole or {}))
    message = fields.get("msg")
    if envelope.succeeded and isinstance(message, str) and _WELL.fullmatch(message):
        del fields["msg"]
    return fields


def _numbers(out_order_id: str | None, sent: Mapping[str, Any] | None) -> frozenset[str]:
    """What we sent that holds a digit: numbers, ids, an address."""
    values = answer_fields.every_field(sent) or ()
    texts = [str(value) for name, value in values if isinstance(value, str) or name == "offerId"]
    return frozenset(each for each in (out_order_id or "", *texts) if re.search("[0-9]", each))


class _CreateAnswer:
    """One readable answer to a create, and what can be read off it.

    Texts are judged as they came and as they are shown: a comment or a tag hides words, or cuts one in two.
    """

    def __init__(
        self,
        reply: Reply,
        envelope: UpstreamEnvelope,
        sent: frozenset[str],
        fields: list[tuple[str, Any]],
    ) -> None:
        self._reply = reply
        self._envelope = envelope
        self._sent = sent
        self._fields = fields
        texts = [(name, value) for name, value in fields if isinstance(value, str)]
        texts += [("", name) for name, _ in fields if not name.isascii()]
        texts = [(name, text) for name, text in texts if not answer_fields.is_handle(name, text)]
        said = [text for name, text in texts if _is_said(name) and text != envelope.code]
        self._texts = [form for _, text in texts for form in self._forms(text)]
        self._words = [form for text in said for form in self._forms(text)]
        self._beside_message = [
            form for text in said if clean(text) != envelope.message for form in self._forms(text)
        ]
        self.said = clean(_joined([envelope.message or "", *map(clean, said)]))

    def _forms(self, text: str) -> dict[str, None]:
        """A text as it came and as it is shown, without the numbers that we sent."""
        return dict.fromkeys(
            self._own.sub(" ", form) if any(each in form for each in self._sent) else form
            for form in (text, one_line(text))
        )

    @cached_property
    def _own(self) -> re.Pattern[str]:
        """What we sent, as whole words. Few answers repeat any of it."""
        return re.compile(rf"(?<![0-9A-Za-z_-])(?:{'|'.join(map(re.escape, self._sent))})(?![0-9A-Za-z_-])")

    def unclear(self, reason: str, order_ids: tuple[str, ...] = ()) -> Unclear:
        code = self._envelope.code
        in_words = code if isinstance(code, str) and _named(code) != code else ""
        unheard = [text for text in map(clean, self._texts) if refusal_signs.doubts(text)]
        text = clean(_joined([in_words, self.said, *(each for each in unheard if each not in self.said)]))
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

    def placed(self, ids: tuple[str, ...], groups: int) -> Placed | Unclear:
        """Placed, unless anything in the answer speaks of a failure or of a part."""
        named = ", ".join(ids)
        if len(ids) < groups:
            return self.unclear(f"order ids ({named}) for {len(ids)} of the {groups} orders shown", ids)
        if any(answer_fields.is_number_of_another(name, value, self._sent) for name, value in self._fields):
            return self.unclear(f"order ids ({named}) beside another number than ours", ids)
        missing = self._failed_offers()
        if missing is not None:
            offers = f"; not ordered: offers {', '.join(missing)}" if missing else ""
            return self.unclear(f"order ids ({named}) for a part of the goods{offers}", ids)
        if self._envelope.reports_failure or any(map(refusal_signs.speaks_of_a_part, self._words)):
            return self.unclear(f"order ids ({named}) beside a sign of failure", ids)
        return Placed(ids, self._envelope.request_id)

    def _failed_offers(self) -> list[str] | None:
        """The offers that the answer says were not ordered; `None` where it speaks of no part."""
        parts: list[object] = [
            value
            for name, value in self._fields
            if answer_fields.is_failed_part(name, value) or (name != "data" and reports_failure(value))
        ]
        if not parts:
            return None
        offers = [
            str(value)
            for name, value in answer_fields.every_field({"offers": parts}) or ()
            if _names_offer(name, value)
        ]
        return list(dict.fromkeys(offers))

    def hint(self) -> str | None:
        """An id that may be an order's, also where the documentation has none."""
        for name, value in self._fields:
            if isinstance(value, list | dict) and value and answer_fields.ORDERS.fullmatch(name):
                return "orders"
            if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
                continue
            text = str(value).strip()
            if text in self._sent:
                continue
            if answer_fields.is_order_number(name, text):
                return clean(text)[:64]
            numbers = [] if isinstance(value, str) or answer_fields.OTHER_NUMBER.fullmatch(name) else [text]
            if found := answer_fields.long_number(numbers):
                return found
        return answer_fields.long_number(self._texts)

    def is_refusal(self) -> bool:
        """A positive sign and no doubt beside it."""
        status, code = self._reply.status, self._envelope.code
        if status != 200 and not (400 <= status < 500 and status not in _MAKES_NO_ORDER):
            return False
        if any(answer_fields.is_raised(name, value) for name, value in self._fields):
            return False
        said = self._words
        if self._envelope.succeeded:
            if status != 200 or not any(name == "success" and is_no(value) for name, value in self._fields):
                return False
            said, code = self._beside_message, None  # the envelope's own words refuse nothing beside code 200
        if any(map(refusal_signs.is_documented_refusal, [str(code), *said])):
            return True
        words = _joined(said)
        # A single token elsewhere (a path, a host, a language) is no cause.
        causes = _joined([*said, *(text for text in self._texts if not re.fullmatch("[!-~]*", text))])
        if _is_of_success(code) or not refusal_signs.refuses(code, words, causes):
            return False
        return not any(
            refusal_signs.doubts(text, asked_to_wait=429 in (status, code)) for text in self._texts
        )


def _named(code: int | str | None) -> str:
    """A code as it stands in our own sentence; one in words is the upstream's text, and stands with it."""
    plain = isinstance(code, int) or (code is not None and re.fullmatch(r"[A-Za-z]{0,4}[0-9_-]{1,16}", code))
    return str(code) if plain else "in words" if code else "absent"


def _joined(texts: list[str]) -> str:
    return " | ".join(dict.fromkeys(text for text in texts if text))


def _is_said(name: str) -> bool:
    return name in ("", "data") or answer_fields.is_words(name)


def _is_of_success(code: int | str | None) -> bool:
    """0 and 201 to 299 are how other programs say that all is well."""
    if isinstance(code, int):
        return code == 0 or 200 <= code <= 299
    return code is not None and code.strip().casefold() in ("ok", "true")


def _names_offer(name: str, value: object) -> bool:
    of_offers = name in ("offers", "offerId", "offer_id") or bool(answer_fields.FAILED_PART.fullmatch(name))
    return of_offers and not isinstance(value, bool) and bool(re.fullmatch("[0-9]{6,19}", str(value)))

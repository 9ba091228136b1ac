"""What an answer to a create means: placed, refused, or unclear. Pure; the rule of design.md, step 6.

HTTP 200, code 200, order ids, no contradiction      → Placed
HTTP 200 or 4xx, readable envelope, a code that is
  neither 200 nor a general server error, no ids     → Refused
everything else                                      → Unclear: an order may or may not exist
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from xportcn_tools.upstream.wire import Envelope
from xportcn_tools.upstream.words import cause_of

_ORDER_ID = re.compile(r"(?=.*[1-9])[A-Za-z0-9_-]{1,64}")  # `0` and `null` name no order
_LONG_NUMBER = re.compile(r"(?<![0-9])[0-9]{15,}(?![0-9])")


@dataclass(frozen=True)
class Reply:
    """An answer that came: its HTTP status, and its envelope or why there is none that can be read."""

    status: int
    envelope: Envelope | None
    unreadable: str | None = None
    retry_after: int | None = None
    """The seconds that the upstream asks to wait, where it does (`Retry-After`)."""

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
    """The upstream says in so many words that it made no order."""

    code: str
    text: str
    request_id: str | None
    unauthorized: bool


@dataclass(frozen=True)
class Unclear:
    """The request left, and what came back does not say whether an order exists."""

    reason: str
    request_id: str | None = None


def is_unauthorized(reply: Reply) -> bool:
    """Key, signature or clock refused, as far as codes and words tell (inferred)."""
    if reply.status in (401, 403):
        return True
    envelope = reply.envelope
    if envelope is None or not envelope.refuses:
        return False
    return cause_of(envelope.code, envelope.message) in ("signature", "key", "clock", "permission")


def _order_ids(data: object) -> tuple[str, ...] | None:
    """`data.orderIds` as strings; `()` where there are none; `None` where they make no sense."""
    if not isinstance(data, dict):
        return ()
    value = cast("Mapping[str, Any]", data).get("orderIds")
    if value is None:
        return ()
    if not isinstance(value, list):
        return None
    ids = [
        str(item) if isinstance(item, int) and not isinstance(item, bool) else item
        for item in cast("list[object]", value)
    ]
    if not all(isinstance(item, str) and _ORDER_ID.fullmatch(item) for item in ids):
        return None
    return tuple(dict.fromkeys(cast("list[str]", ids)))


def _hints_at_order(data: object) -> bool:
    """Whether an id that may be an order's stands anywhere, also where the documentation has none."""
    waiting = [data]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            for name, value in cast("dict[str, object]", part).items():
                if name.replace("_", "").casefold() in ("orderid", "orderids") and value:
                    return True
                waiting.append(value)
        elif isinstance(part, list):
            waiting += cast("list[object]", part)
        elif isinstance(part, str | int) and not isinstance(part, bool) and _LONG_NUMBER.search(str(part)):
            return True
    return False


def sort_create(reply: Reply) -> Placed | Refused | Unclear:
    """The one place that decides what an answer to a create means."""
    envelope = reply.envelope
    if envelope is None:
        return Unclear(f"HTTP {reply.status}, {reply.unreadable or 'no readable answer'}")
    request_id = envelope.request_id
    ids = _order_ids(envelope.data)
    if envelope.succeeded and reply.status == 200:
        if ids is None:
            return Unclear("code 200 with order ids that cannot be read", request_id)
        if not ids:
            return Unclear("code 200 without order ids", request_id)
        if envelope.reports_failure:
            return Unclear(f"order ids ({', '.join(ids)}) beside a failure flag", request_id)
        return Placed(ids, request_id)
    if ids is None or ids:
        named = ", ".join(ids) if ids else "unreadable"
        return Unclear(f"order ids ({named}) beside code {reply.code}", request_id)
    if _hints_at_order([envelope.data, envelope.message, envelope.beside]):
        return Unclear(f"what may be an order id beside code {reply.code}", request_id)
    spoken = reply.status == 200 or 400 <= reply.status < 500
    if spoken and envelope.refuses:
        return Refused(reply.code, reply.text, request_id, is_unauthorized(reply))
    return Unclear(f"HTTP {reply.status}, code {reply.code}: {reply.text}", request_id)

"""A message that the vendor sends of an order, read tolerantly. Pure.

Its form is documented: `{messageType, messageBody (JSON in a string), messagePlatform, timestamp}`, and in
the body `{orderId, orderNo, …}`. The rule of its signature could not be read, so nothing in it is believed:
it names orders that may have changed, and no more.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from xportcn_tools.upstream.clean import clean
from xportcn_tools.upstream.envelope import UnreadableAnswerError, object_of, order_id_of, parsed
from xportcn_tools.upstream_state import VendorMessage

_MILLISECONDS = re.compile(r"[0-9]{13}")
_EVENT = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_IDS = ("orderId", "orderNo")  # which of them a create answers with is not documented


@dataclass(frozen=True)
class Hint:
    """The ids that a message names, either of which may be the order's."""

    order_ids: tuple[str, ...]
    message: VendorMessage


def read_message(body: bytes, received_at: datetime) -> Hint | None:
    """`None` where it names no order."""
    try:
        fields = object_of(parsed(body))
        inner = fields.get("messageBody")
        about = object_of(parsed(inner.encode("utf-8", "replace")) if isinstance(inner, str) else inner)
    except UnreadableAnswerError:
        return None
    ids = [order_id for order_id in (order_id_of(about.get(name)) for name in _IDS) if order_id]
    if not ids:
        return None
    event = str(fields.get("messageType"))
    event = event if _EVENT.fullmatch(event) else "of no known type"
    words = clean(inner if isinstance(inner, str) else str(inner))
    return Hint(tuple(dict.fromkeys(ids)), VendorMessage(received_at, event, _time(fields), words))


def _time(fields: dict[str, object]) -> datetime | None:
    sent = str(fields.get("timestamp"))
    return datetime.fromtimestamp(int(sent) / 1000, UTC) if _MILLISECONDS.fullmatch(sent) else None

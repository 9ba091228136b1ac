"""What an answer about goods holds, or why it holds nothing. Pure.

Reasons are told apart by the documented words, by codes, and by words that other programs use (inferred).
"""

import re
from collections.abc import Mapping
from typing import Any

from xportcn_tools.goods.product import NotRead, NotReadReason
from xportcn_tools.upstream.envelope import object_of, reports_failure, text_of
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.refusal_signs import doubts
from xportcn_tools.upstream.words import cause_of

_WRAPPERS = 2  # levels of `{result: {success, code, message, result}}`

_NO_PRODUCT = re.compile(r"SP0056|商品(?:信息)?已?不存在")
"""Documented by 1688."""
_NO_INTERFACE = re.compile(
    r"(?:接口|服务|路径|地址|方法|API)\s?(?:不存在|未找到|找不到|未定义)|(?:无此|没有此|未知)(?:接口|API)"
    r"|no such (?:interface|api|service|method|path)|no (?:handler|static resource|mapping|endpoint)"
    r"|(?:interface|api|path|url|route|endpoint|service)(?: is| does| was)? ?(?:not|n't|un)[ -]?"
    r"(?:found|exist|known)",
    re.IGNORECASE,
)
_NO_PERMISSION = re.compile(r"权限|未授权|permission|not permitted|unauthori[sz]ed", re.IGNORECASE)

JsonObject = Mapping[str, Any]


class NotReadableError(Exception):
    """The answer refuses (`text` is the upstream's own), or is not of a known form (`text` says where)."""

    def __init__(
        self, text: str | None, reason: NotReadReason = "unreadable", code: str | None = None
    ) -> None:
        super().__init__(text)
        self.text, self.code = text, code
        self.reason: NotReadReason = reason

    def of(self, reply: Reply, offer_id: str = "") -> NotRead:
        return NotRead(offer_id, self.reason, self.code, self.text, reply.request_id)


def data_of(reply: Reply) -> object:
    """What an answer holds, unless it refuses as a whole."""
    envelope = reply.envelope
    if reply.status == 404:
        raise NotReadableError(envelope and envelope.message, "not_confirmed", reply.code)
    if envelope is None:
        reason: NotReadReason = "unreadable"
        if reply.status != 200:
            refused = reply.status in (401, 403)
            reason = "not_permitted" if refused else "no_answer"
        raise NotReadableError(reply.text, reason, None if reply.status == 200 else reply.code)
    if reply.status != 200 or not envelope.succeeded:
        raise _refusal(reply.code, envelope.message, reply.status)
    return envelope.data


def _refusal(code: str | None, text: str | None, status: int = 200) -> NotReadableError:
    said = f"{code or ''} {text or ''}"
    cause = cause_of(code, text, status)
    reason: NotReadReason = "unreadable"
    if cause == "busy":
        reason = "no_answer"
    elif _NO_PRODUCT.search(said):
        reason = "not_found"
    elif _NO_INTERFACE.search(said) or code == "404":
        reason = "not_confirmed"
    elif _NO_PERMISSION.search(said) or cause:  # key, signature and clock: not for this account as it is set
        reason = "not_permitted"
    elif status >= 500 or _is_troubled(text or ""):
        reason = "no_answer"
    return NotReadableError(text, reason, code)


def _is_troubled(text: str) -> bool:
    """Whether the upstream speaks of trouble of its own; "success" beside nothing is none."""
    return doubts(text) and not doubts(text, asked_to_wait=True)


def unwrapped(data: object, name: str) -> object:
    """Down to what has a field of this name, or to what is no object, at most two levels.

    Raises:
        NotReadableError: `success: false`, an `errorCode` or an empty wrapper on the way.
    """
    for level in range(_WRAPPERS + 1):
        fields = object_of(data)
        if reports_failure(fields) or fields.get("result", fields) is None:
            code = text_of(fields.get("code") or fields.get("errorCode"))
            said = (fields.get(each) for each in ("message", "errorMsg", "errorMessage", "msg"))
            raise _refusal(code, next(filter(None, map(text_of, said)), None))
        if name in fields or "result" not in fields or level == _WRAPPERS:
            break
        data = fields["result"]
    return data

"""The five headers of a request: is it from our one account, signed by our rule, and fresh?"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from xportcn_tools.upstream.signing import (
    Canonical,
    Credentials,
    SignatureRule,
    TimestampUnit,
    signature,
    string_to_sign,
)

# Nothing secret: these open the sandbox and nothing else.
SANDBOX_CREDENTIALS = Credentials("SANDBOX0access0key", "SANDBOX0access0secret", "sandbox-user")

API = "/api"
SANDBOX_BASE_URL = f"http://127.0.0.1{API}"
"""Never dialled: requests go to the application in this process."""

CLOCK_TOLERANCE_SECONDS = 600  # documented

_NONCE = re.compile(r"[A-Za-z0-9]{32}")
_TIMESTAMP = {"s": re.compile(r"\d{10}"), "ms": re.compile(r"\d{13}")}


@dataclass(frozen=True)
class Door:
    """What this upstream asks of a request's headers."""

    credentials: Credentials
    rule: SignatureRule
    unit: TimestampUnit

    def refusal(self, headers: Mapping[str, str], now: datetime) -> str | None:
        """Why the request is turned away, in Chinese; None lets it in.

        Which headers there are, their form and the 600 seconds are documented; the texts are our invention,
        since the vendor's list of errors could not be read.
        """
        sent = {name: headers.get(name, "") for name in ("access-key", "timestamp", "nonce-str", "user-id")}
        for name, value in sent.items():
            if not value:
                return f"缺少请求头{name}"
        if sent["access-key"] != self.credentials.access_key:
            return "access-key无效"
        if sent["user-id"] != self.credentials.user_id:
            return "user-id无权限"
        if not _NONCE.fullmatch(sent["nonce-str"]):
            return "nonce-str必须为32位字母或数字"
        if not _TIMESTAMP[self.unit].fullmatch(sent["timestamp"]):
            return "timestamp格式错误"
        seconds = int(sent["timestamp"]) / (1000 if self.unit == "ms" else 1)
        if abs(now.timestamp() - seconds) > CLOCK_TOLERANCE_SECONDS:
            return "timestamp已过期，与服务器时间相差超过600秒"
        parts = Canonical(sent["access-key"], sent["timestamp"], sent["nonce-str"])
        expected = signature(string_to_sign(self.rule, parts, self.credentials.access_secret))
        if not hmac.compare_digest(expected.encode(), headers.get("signature", "").encode()):
            return "签名错误"
        return None

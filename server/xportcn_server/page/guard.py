"""Which requests the page answers at all, and the headers of every answer."""

import logging
from collections.abc import Callable
from datetime import datetime

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xportcn_tools.desk.rate import RateLimit

logger = logging.getLogger(__name__)

MOST_BODY_BYTES = 16 * 1024
REQUESTS_PER_MINUTE = 600
FORMS_PER_MINUTE = 60
"""Of one session, or, of all who are not signed in, of one address: behind a proxy that is everybody's. A
person sends a few forms; the script of an open page asks twenty times.
"""

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    # Not `no-referrer`: with it, browsers send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Guarded:
    """The page behind its guard. `host_is_ours` judges a Host header, in small letters. `session_of` gives a
    request's session, where it is known to be one.
    """

    def __init__(
        self,
        app: ASGIApp,
        host_is_ours: Callable[[str], bool],
        clock: Callable[[], datetime],
        session_of: Callable[[Scope], str | None],
    ) -> None:
        self._app = app
        self._host_is_ours = host_is_ours
        self._clock = clock
        self._session_of = session_of
        self._rate = RateLimit()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        if refusal:
            status, reason = refusal
            logger.warning("page: a request was refused: %s", reason)
            await PlainTextResponse(f"Refused: {reason}.", status)(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if not self._host_is_ours(host):
            return 421, "its Host is not this page's"
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return 405, "its method is not one of the page's"
        if scope["method"] == "POST":
            origin = headers.get("origin", "").lower()
            if origin.removeprefix("https://").removeprefix("http://") != host:
                return 403, "its Origin is not this page"
            if headers.get("sec-fetch-site", "same-origin") != "same-origin":
                return 403, "it comes from another site"
            length = headers.get("content-length", "")
            if not length.isdecimal() or int(length) > MOST_BODY_BYTES:
                return 413, "its body has no length, or is too large"
        whose = self._session_of(scope) or (scope.get("client") or ("",))[0]
        most = FORMS_PER_MINUTE if scope["method"] == "POST" else REQUESTS_PER_MINUTE
        if self._rate.wait_seconds(f"{scope['method']} {whose}", most, self._clock()):
            return 429, "too many requests in a minute"
        return None

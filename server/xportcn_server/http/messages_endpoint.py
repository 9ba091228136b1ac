"""`POST /messages/<secret>`: where the vendor's messages of orders may come (`XPORTCN_MESSAGES_SECRET`).

The secret in the path is all that lets a message in. With another one, and where none is set, the path does
not exist. The answer comes at once; what follows from a message is done behind it (`desk/hints.py`).
"""

import logging
from hmac import compare_digest

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from xportcn_tools.desk.hints import Hints

logger = logging.getLogger(__name__)

PREFIX = "/messages/"
MOST_BODY_BYTES = 64 * 1024
BODY_SECONDS = 10.0
RETRY_SECONDS = "1800"
"""The vendor sends a message that was not answered with 200 again after half an hour (documented)."""


class WithMessages:
    """The application, with the one path in front of it."""

    def __init__(self, app: ASGIApp, secret: str, hints: Hints) -> None:
        self._app = app
        self._path = f"{PREFIX}{secret}".encode()
        self._hints = hints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ours = (
            scope["type"] == "http"
            and scope["method"] == "POST"
            and compare_digest(scope["path"].encode("utf-8", "surrogatepass"), self._path)
        )
        if ours:
            await (await self._answer(Request(scope, receive)))(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        body = await _bounded(request)
        if body is None:
            return Response(status_code=413)
        if not self._hints.take(body):
            logger.warning("too many messages of the vendor wait; one was turned away")
            return Response(status_code=503, headers={"retry-after": RETRY_SECONDS})
        return Response()


async def _bounded(request: Request) -> bytes | None:
    """The body; `None` where it is too large, or too slow."""
    body = bytearray()
    with anyio.move_on_after(BODY_SECONDS):
        try:
            async for part in request.stream():
                body += part
                if len(body) > MOST_BODY_BYTES:
                    return None
        except ClientDisconnect:
            return None
        return bytes(body)
    return None

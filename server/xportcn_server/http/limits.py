"""How many calls, streams and sessions at a time, in all and for one caller, and how long a body may take.

These limits run after authentication: an unauthenticated request is refused before, and takes no place.
"""

from collections import Counter

import anyio
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser, AuthorizationContext
from mcp.server.streamable_http import StreamableHTTPServerTransport
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.authentication import UnauthenticatedUser
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_CALLS = 128
"""At a time; beyond it 503 with `Retry-After`. Health is not counted."""

MOST_CALLS_OF_ONE = 32
"""Of one caller, so that none can take every place. A form that a person has not answered may hold one, and
a client of the older protocol holds one for as long as it listens (its GET stream)."""

MOST_SESSIONS_OF_ONE = 50
"""Open sessions of one caller, with clients of the older protocol; beyond it 503. Others have no sessions."""

SESSION_IDLE_SECONDS = 600.0
"""After which a session ends that has no request under way and no stream open."""

BODY_SECONDS = 30.0
"""For a whole body, which is small: a slow sender frees its place after this."""


class LimitedCalls:
    """At most so many POSTs and GET streams on one path at a time; the rest get a `Retry-After`."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app = app
        self._path = path
        self._under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        user = scope.get("user")  # absent where calls are not authenticated
        counted = scope["type"] == "http" and scope["path"] == self._path
        if not counted or scope["method"] not in ("POST", "GET") or isinstance(user, UnauthenticatedUser):
            await self._app(scope, receive, send)
            return
        caller = (user.access_token.subject or "") if isinstance(user, AuthenticatedUser) else ""
        most = MOST_CALLS_OF_ONE if caller else MOST_CALLS
        if self._under_way[caller] >= most or self._under_way.total() >= MOST_CALLS:
            busy = JSONResponse({"error": "too many calls at a time"}, 503, {"retry-after": "1"})
            await busy(scope, receive, send)
            return
        self._under_way[caller] += 1
        try:
            await (self._app if scope["method"] == "GET" else self._in_time)(scope, receive, send)
        finally:
            self._under_way[caller] -= 1
            if not self._under_way[caller]:
                del self._under_way[caller]

    async def _in_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        deadline = anyio.current_time() + BODY_SECONDS
        whole = False

        async def receive_in_time() -> Message:
            nonlocal whole
            if whole:
                return await receive()
            with anyio.CancelScope(deadline=deadline):
                message = await receive()
                whole = not message.get("more_body", False)
                return message
            raise _TooSlowError

        try:
            await self._app(scope, receive_in_time, send)
        except _TooSlowError:  # raised before the body was whole, so nothing has been answered
            slow = JSONResponse({"error": "the body took too long"}, 408, {"connection": "close"})
            await slow(scope, receive, send)


def limit_sessions(manager: StreamableHTTPSessionManager) -> None:
    """At most so many sessions of one caller. The SDK limits the sum of all callers' alone.

    Its own method decides, where it registers a session: counted before it, two at once would pass.
    """
    admit = manager._admit_session  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    owners = manager._session_owners  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    sessions = manager._server_instances  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    def admit_within_share(requestor: AuthorizationContext | None) -> StreamableHTTPServerTransport | None:
        if requestor is None:  # calls are not authenticated: there is one caller
            held = len(sessions)
        else:
            held = sum(owner["subject"] == requestor["subject"] for owner in owners.values())
        return None if held >= MOST_SESSIONS_OF_ONE else admit(requestor)

    manager._admit_session = admit_within_share  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


class _TooSlowError(Exception):
    pass

"""`xportcn-mcp serve --http`: Streamable HTTP at `/mcp`, both protocol eras; health at `/healthz`, `/readyz`.

With `XPORTCN_STATE_KEYS` the process keeps no sessions: any replica answers any request, and a form asked
by one can be answered at another. Without them, clients of the older protocol have sessions here and can be
asked, which suits one process on one machine.
"""

import asyncio
import contextlib
import logging
import re
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Generator
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from xportcn_server.http.connections import LimitedConnection
from xportcn_server.http.limits import SESSION_IDLE_SECONDS, LimitedCalls, limit_sessions
from xportcn_server.http.server_card import PATHS, add_server_card
from xportcn_server.settings.values import is_loopback, plain_url

logger = logging.getLogger(__name__)
start = logging.getLogger("xportcn.start")  # heard whatever the log level

PATH = "/mcp"
MOST_BODY_BYTES = 256 * 1024
"""Fifty lines and an address are a tenth of it."""

READY_SECONDS = 5
"""For the ledger's answer; what asks /readyz has a deadline of its own."""

SHUTDOWN_SECONDS = 120
"""For calls under way; a create has ended or given up long before."""


def _security(host: str, public_url: str | None) -> TransportSecuritySettings:
    """Host and Origin headers that are answered: this machine's own, and those of the public URL.

    Bound to more than loopback and with no public URL known, any Host may be right; see `SameOrigin`.
    """
    here = ("127.0.0.1", "localhost", "[::1]")
    hosts = [host for name in here for host in (name, f"{name}:*")]
    origins = [f"http://{host}" for host in hosts]
    if public_url:
        public = urlsplit(plain_url(public_url))
        name = f"[{public.hostname}]" if ":" in (public.hostname or "") else str(public.hostname)
        hosts += [name, f"{name}:*"]
        origins.append(f"{public.scheme}://{public.netloc}")
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=is_loopback(host) or bool(public_url),
        allowed_hosts=hosts,
        allowed_origins=origins,
    )


def http_app(
    server: MCPServer[Any],
    ready: "Readiness",
    *,
    host: str,
    stateless: bool,
    public_url: str | None = None,
    page: Callable[[Callable[[str], bool]], ASGIApp] | None = None,
) -> ASGIApp:
    """The ASGI application. `ready` says whether the ledger can be reached.

    `public_url`: of `/mcp`, as clients know it; its host is then answered beside loopback, and no other.
    `page`: makes the page for people, which takes every path that is not of the protocol or of health; it is
    given what says whether a Host header is one that is answered.
    """

    @server.custom_route("/healthz", methods=["GET"])
    async def healthz(request: Request) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        del request
        return JSONResponse({"status": "ok"})

    @server.custom_route("/readyz", methods=["GET"])
    async def readyz(request: Request) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        del request
        reachable = await ready.ledger_is_reachable()
        return JSONResponse({"ledger": "ok" if reachable else "unavailable"}, 200 if reachable else 503)

    security = _security(host, public_url)
    answers_to = _answers_to(security)

    def url_for(host: str) -> str | None:
        """Of `/mcp`: the public one, or this machine's own; a Host that anybody may name is not repeated."""
        if public_url or not security.enable_dns_rebinding_protection:
            return public_url
        return f"http://{host}{PATH}" if answers_to(host) else None

    add_server_card(server, url_for)
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=stateless,
        stateless_http=stateless,
        max_request_body_size=MOST_BODY_BYTES,
        session_idle_timeout=SESSION_IDLE_SECONDS,
        transport_security=security,
        host=host,
    )
    limit_sessions(server.session_manager)
    app.user_middleware.append(Middleware(LimitedCalls, path=PATH))  # the last: the caller is known by then
    guarded = app if security.enable_dns_rebinding_protection else SameOrigin(app)
    return PlainSpelling(WithPage(guarded, page(answers_to)) if page else guarded)


def _answers_to(security: TransportSecuritySettings) -> Callable[[str], bool]:
    """Whether a Host header, in small letters, is one that is answered."""

    def answers_to(host: str) -> bool:
        if not security.enable_dns_rebinding_protection:
            return True
        return {host, re.sub(r":\d+$", ":*", host)} & set(security.allowed_hosts) != set()

    return answers_to


class WithPage:
    """The protocol, health and metadata as before; every other path is the page's."""

    def __init__(self, app: ASGIApp, page: ASGIApp) -> None:
        self._app = app
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else PATH
        ours = path in (PATH, "/healthz", "/readyz", *PATHS) or path.startswith(
            ("/.well-known/", "/messages/")
        )
        await (self._app if ours else self._page)(scope, receive, send)


class Readiness:
    """Asks whether the ledger answers, one question at a time.

    A database that hangs holds up the question, and the thread that asks it. Callers stop waiting at the
    deadline, and no second question is asked before the first has its answer.
    """

    def __init__(self, probe: Callable[[], Awaitable[Any]], seconds: float = READY_SECONDS) -> None:
        self._probe = probe
        self._seconds = seconds
        self._question: asyncio.Task[bool] | None = None
        self._give_up_at = 0.0

    async def ledger_is_reachable(self) -> bool:
        if self._question is None or self._question.done():
            self._question = asyncio.create_task(self._ask())
            self._give_up_at = time.monotonic() + self._seconds
        seconds = max(0.0, self._give_up_at - time.monotonic())
        answered, _ = await asyncio.wait([self._question], timeout=seconds)
        return bool(answered) and self._question.result()

    async def _ask(self) -> bool:
        try:
            await self._probe()
        except Exception:
            logger.info("the ledger does not answer", exc_info=True)
            return False
        return True


class PlainSpelling:
    """Host and Origin in small letters, as browsers write them: neither knows capitals."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers: list[tuple[bytes, bytes]] = scope["headers"]
            small = [
                (name, value.lower() if name in (b"host", b"origin") else value) for name, value in headers
            ]
            scope = {**scope, "headers": small}
        await self._app(scope, receive, send)


class SameOrigin:
    """Where any Host may be right: what a browser sends must come from a page of this very host."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if origin is not None and urlsplit(origin).netloc != headers.get("host"):
                foreign = JSONResponse({"error": "Origin does not match Host"}, 403)
                await foreign(scope, receive, send)
                return
        await self._app(scope, receive, send)


class _GracefulServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_listening: Callable[[str], Awaitable[None]] | None) -> None:
        super().__init__(config)
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:  # uvicorn has logged why
            start.error("not listening: name an address and a port that are free with --host and --port")
            raise
        if self.should_exit:
            return
        port = self.servers[0].sockets[0].getsockname()[1]  # --port 0 leaves the choice to the system
        host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
        start.info("listening on http://%s:%s%s", host, port, PATH)
        if self._on_listening:
            await self._on_listening(f"http://{host}:{port}")

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Uvicorn raises a signal again once it has shut down; here a signal is how one ends it, cleanly."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A second signal changes nothing: uvicorn would cut short what is under way, even a create."""
        del sig, frame
        self.should_exit = True


def _without_secret(record: logging.LogRecord) -> bool:
    """Lines of requests are logged at INFO; one whose path holds the page's code, or a secret, is not."""
    return not {"enter", "messages"} & set(record.getMessage().split("/"))


async def serve_http(
    app: ASGIApp,
    host: str,
    port: int,
    log_level: str,
    on_listening: Callable[[str], Awaitable[None]] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; then no new calls, and those under way are finished."""
    logging.getLogger("uvicorn.access").addFilter(_without_secret)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=LimitedConnection,
        ws="none",  # it would leave the limits of a connection behind
        log_level=log_level.lower(),
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    await _GracefulServer(config, on_listening).serve()

"""`xportcn-mcp serve --http`: Streamable HTTP at `/mcp`, both protocol eras; health at `/healthz`, `/readyz`.

With `XPORTCN_STATE_KEYS` the process keeps no sessions: any replica answers any request, and a form asked
by one can be answered at another. Without them, clients of the older protocol have sessions here and can be
asked, which suits one process on one machine.
"""

import asyncio
import contextlib
import ipaddress
import logging
import signal
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

from xportcn_server.http.limits import LimitedCalls
from xportcn_server.settings.values import plain_url
from xportcn_tools.desk.desk import Desk

logger = logging.getLogger(__name__)

PATH = "/mcp"
MOST_BODY_BYTES = 256 * 1024
"""Fifty lines and an address are a tenth of it."""

READY_SECONDS = 5
"""For the ledger's sign of life; whoever asks for it has a deadline of its own."""

SHUTDOWN_SECONDS = 120
"""For calls under way; a create has ended or given up long before."""


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach a server bound to `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


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
    server: MCPServer[Desk],
    ready: "Readiness",
    *,
    host: str,
    stateless: bool,
    public_url: str | None = None,
) -> ASGIApp:
    """The ASGI application. `ready` says whether the ledger can be reached.

    `public_url`: of `/mcp`, as clients know it; its host is then answered beside loopback, and no other.
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
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=stateless,
        stateless_http=stateless,
        max_request_body_size=MOST_BODY_BYTES,
        transport_security=security,
        host=host,
    )
    app.user_middleware.append(Middleware(LimitedCalls, path=PATH))  # the last: who calls is known by then
    return PlainSpelling(app if security.enable_dns_rebinding_protection else SameOrigin(app))


class Readiness:
    """Asks the ledger for a sign of life, one question at a time.

    A database that hangs keeps the question waiting, and the thread that asks it. Nobody waits along with it
    beyond the deadline, and nobody asks anew before it has an answer.
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
    """Where no Host can be told from another: what a browser sends must come from this very host's pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if origin is not None and urlsplit(origin).netloc != headers.get("host"):
                foreign = JSONResponse({"error": "Origin and Host differ"}, 403)
                await foreign(scope, receive, send)
                return
        await self._app(scope, receive, send)


class _Server(uvicorn.Server):
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


def serve_http(app: ASGIApp, host: str, port: int, log_level: str) -> None:
    """Serve until SIGTERM or SIGINT; then no new calls, and those under way are finished."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level=log_level.lower(),
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    _Server(config).run()

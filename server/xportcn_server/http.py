"""`xportcn-mcp serve --http`: Streamable HTTP at `/mcp`, both protocol eras; health at `/healthz`, `/readyz`.

With `XPORTCN_STATE_KEYS` the process keeps no sessions: any replica answers any request, and a form asked
by one can be answered at another. Without them, clients of the older protocol have sessions here and can be
asked, which suits one process on one machine.
"""

import contextlib
import ipaddress
import logging
import signal
from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

import anyio
import uvicorn
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from xportcn_tools.desk.desk import Desk

logger = logging.getLogger(__name__)

PATH = "/mcp"
MOST_BODY_BYTES = 256 * 1024
"""Fifty lines and an address are a tenth of it."""

MOST_CALLS = 128
"""At a time; beyond it 503 with `Retry-After`. Health is not counted."""

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
    hosts = ["127.0.0.1:*", "localhost:*", "[::1]:*"]
    origins = ["http://127.0.0.1:*", "http://localhost:*", "http://[::1]:*"]
    public = urlsplit(public_url or "")
    if public.scheme in ("http", "https") and public.netloc:
        hosts += [public.netloc, f"{public.hostname}:*"]
        origins.append(f"{public.scheme}://{public.netloc}")
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=is_loopback(host) or bool(public.netloc),
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
    return LimitedCalls(app if security.enable_dns_rebinding_protection else SameOrigin(app))


class Readiness:
    """Asks the ledger for a sign of life."""

    def __init__(self, probe: Any) -> None:
        self._probe = probe

    async def ledger_is_reachable(self) -> bool:
        try:
            with anyio.fail_after(5):
                await self._probe()
        except Exception:
            logger.info("the ledger does not answer", exc_info=True)
            return False
        return True


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


class LimitedCalls:
    """At most `MOST_CALLS` POSTs to `/mcp` at a time; the rest are told when to come back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        if self._under_way >= MOST_CALLS:
            busy = JSONResponse({"error": "too many calls at a time"}, 503, {"retry-after": "1"})
            await busy(scope, receive, send)
            return
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Uvicorn raises a signal again once it has shut down; here a signal is how one ends it, cleanly."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle_exit)
        yield


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

"""What tests over HTTP share: the server in this loop, its callers, its clients."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import httpx2
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp_types import ElicitResult, InputRequiredResult, InputResponses
from starlette.types import ASGIApp

from harness.house import Era, Person
from xportcn_server.app import build_server
from xportcn_server.http.application import Readiness, http_app
from xportcn_server.http.callers import new_caller
from xportcn_server.http.connections import LimitedConnection
from xportcn_server.http.messages_endpoint import WithMessages
from xportcn_server.page.site import Site
from xportcn_server.parts import Seams, policy_of
from xportcn_server.serve import gate_of
from xportcn_server.settings.settings import Settings
from xportcn_tools.clock import utc_now
from xportcn_tools.desk.hints import Hints
from xportcn_tools.ledger.ledger import Ledger

STATE_KEY = "a-key-that-the-replicas-share-0123456789"

ACCEPT = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


def modern(method: str, **params: Any) -> dict[str, Any]:
    """A request of the stateless protocol, whole."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params | {"_meta": meta}}


def modern_headers(method: str, name: str = "") -> dict[str, str]:
    named = {"mcp-name": name} if name else {}
    return ACCEPT | {MCP_PROTOCOL_VERSION_HEADER: "2026-07-28", "mcp-method": method} | named


def made_callers(path: Path, *names: str, **lines: str) -> dict[str, str]:
    """A callers' file, and the bearer tokens by name. `lines`: what else stands in a caller's table."""
    tokens: dict[str, str] = {}
    for name in names:
        tokens[name] = new_caller(path, name)
        if name in lines:
            with path.open("a", encoding="utf-8") as file:
                file.write(lines[name] + "\n")
    return tokens


def bearer(token: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


def yes_to(asked: InputRequiredResult) -> InputResponses:
    """A person's yes to all that a call asks before it goes on."""
    return {
        name: ElicitResult(action="accept", content={"approve": True}) for name in asked.input_requests or ()
    }


@asynccontextmanager
async def serving(
    settings: Settings, seams: Seams, ledger: Ledger, bound_to: str = "127.0.0.1"
) -> AsyncGenerator[str]:
    """The application of `serve --http` in this loop; yields its base URL. `ledger`: for `/readyz`.

    `bound_to`: what the application takes for its `--host`; it listens on loopback all the same.
    """
    settings = settings.over_http()
    gate = gate_of(settings)
    hints = Hints(seams.clock or utc_now) if settings.messages_secret else None
    server = build_server(settings, replace(seams, hints=hints), gate)
    clock = seams.clock or utc_now
    site = Site(
        ledger, policy_of(settings), settings, clock, profile_of=gate.profile_of, marks_of=gate.marks_of
    )
    app = http_app(
        server,
        Readiness(ledger.open),
        host=bound_to,
        stateless=bool(settings.state_keys),
        public_url=settings.oauth_audience,
        page=site.application,
    )
    if hints and settings.messages_secret:
        app = WithMessages(app, settings.messages_secret.get_secret_value(), hints)
    try:
        async with loop_server(app) as url:
            yield url
    finally:
        await ledger.aclose()


@asynccontextmanager
async def loop_server(app: ASGIApp) -> AsyncGenerator[str]:
    """Any application on a port, in this loop; yields its base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=LimitedConnection, log_config=None, timeout_graceful_shutdown=5)
    runner = _Quiet(config)
    task = asyncio.create_task(runner.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        runner.should_exit = True
        with anyio.CancelScope(shield=True):
            await task
        listener.close()  # a server that was ended before it had begun leaves it open


class _Quiet(uvicorn.Server):
    """Leaves the signals to pytest."""

    @contextlib.contextmanager
    def capture_signals(self):
        yield


@asynccontextmanager
async def client_of(
    url: str, token: str | None = None, era: Era = "auto", person: Person | None = None
) -> AsyncGenerator[Client]:
    """A client of the server at this base URL, as many calls at a time as a test likes."""
    limits = httpx2.Limits(max_connections=None)
    async with (
        httpx2.AsyncClient(headers=bearer(token), timeout=60, limits=limits, trust_env=False) as http,
        Client(
            streamable_http_client(f"{url}/mcp", http_client=http),
            mode=era,
            elicitation_callback=person,
            read_timeout_seconds=60,
        ) as client,
    ):
        yield client


@asynccontextmanager
async def http_client(url: str = "") -> AsyncGenerator[httpx.AsyncClient]:
    """A plain client, for what no client of the protocol would send."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=limits, trust_env=False) as client:
        yield client

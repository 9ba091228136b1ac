"""The sandbox in process: an httpx transport that fails as a network does.

Unlike a network, a client that gives up cancels the request it is waiting for, where a real server goes on.
So the sandbox decides in one piece, before any wait, whether an order exists (see `faults`).
"""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from starlette.types import Receive, Scope, Send

from xportcn_server.sandbox.conduct import ClientConnection
from xportcn_server.sandbox.service import Sandbox

# httpcore's name for the moment from which on a request counts as sent.
SENT = "http11.send_request_headers.started"


class SandboxTransport(httpx.AsyncBaseTransport):
    """Brings requests to the application without a socket.

    A `trace` callback among the request's extensions hears SENT before the application gets the request,
    and does not where the connection failed. Faults that never end, end by cancellation only: httpx's own
    timeouts are httpcore's, which is not used here.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fault = self._sandbox.draw(request.method, request.url.path)
        if fault and fault.name == "not-connectable":
            raise httpx.ConnectError("All connection attempts failed", request=request)
        trace: Callable[[str, dict[str, Any]], Awaitable[None]] | None = request.extensions.get("trace")
        if trace:
            await trace(SENT, {"request": request})
        connection = ClientConnection(fault, _reset)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await self._sandbox.app(connection.under(scope), receive, send)

        return await httpx.ASGITransport(app=app).handle_async_request(request)


async def _reset(receive: Receive) -> None:  # noqa: ARG001 - a ClientConnection's signature
    # Starlette lets it through to httpx.ASGITransport, which raises it in the client.
    raise httpx.ReadError("Connection reset by peer")

"""The sandbox on a port: uvicorn, with faults that happen to real sockets.

A reset is a RST on the wire. `timeout-before-read`, `hang` and their like keep the connection open and
silent for as long as the client does. `not-connectable` is refused here with a clear error, since a port that
listens accepts connections. Point the client at a closed port instead.
"""

import contextlib
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable, Generator
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from xportcn_server.sandbox.access import API
from xportcn_server.sandbox.conduct import ClientConnection, client_gone
from xportcn_server.sandbox.service import Sandbox

# A `close` under these options drops what is unsent and answers with RST. Windows has shorter fields.
_RESET_ON_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


async def serve_sandbox(
    sandbox: Sandbox,
    host: str = "127.0.0.1",
    port: int = 9900,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serves until SIGINT or SIGTERM, then returns. `on_ready` gets the base URL once clients can connect.

    Raises OSError where the port is taken, ValueError for a planned fault that no port can have.
    """
    server = SandboxServer(sandbox, host, port)
    if on_ready:
        on_ready(server.base_url)
    await server.run_until_ended()


class SandboxServer(uvicorn.Server):
    """Listens from the start: connections before `run_until_ended` wait. Port 0 takes a free one."""

    def __init__(self, sandbox: Sandbox, host: str, port: int) -> None:
        sandbox.faults.serve_over_a_port()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family)
        # Its connections inherit it. asyncio sets it only for sockets that name TCP, and without it the
        # second answer of a connection waits 40 ms.
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(
            uvicorn.Config(
                sandbox.app,
                http=_protocol_of(sandbox),
                ws="none",
                interface="asgi3",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=1,
            )
        )

    @property
    def base_url(self) -> str:
        host, port = self._listener.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}{API}"

    async def run_until_ended(self) -> None:
        await self.serve(sockets=[self._listener])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Some requests hang by design. uvicorn would wait for them; without a connection they end.
        for connection in list(self.server_state.connections):
            if isinstance(connection, H11Protocol):
                connection.transport.abort()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Uvicorn raises a signal again once it has shut down; here a signal is how one ends it, cleanly."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _protocol_of(sandbox: Sandbox) -> type[H11Protocol]:
    class SandboxProtocol(H11Protocol):
        """HTTP/1.1 that tells the application over which connection a request came."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.app = self._answer

        async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
            connection = ClientConnection(sandbox.draw(scope["method"], scope["path"]), self._reset)
            await sandbox.app(connection.under(scope), receive, send)

        async def _reset(self, receive: Receive) -> None:
            connection = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.transport.abort()
            # uvicorn takes a request that ends without answer for a mistake, unless the client has gone.
            await client_gone(receive)

    return SandboxProtocol

"""One connection of the HTTP server: how long request headers may take, and how many there are at a time.

Uvicorn limits neither: `limit_concurrency` counts whole requests alone, so a client that sends half a header
could keep a connection, and enough of them every descriptor of the process.
"""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 10.0
"""For a request's headers, from the connection or the first byte on; the connection is closed then."""

MOST_CONNECTIONS = 512
"""At a time; beyond it a connection is answered with 503 and closed."""

_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


class LimitedConnection(H11Protocol):
    """Uvicorn's own, with these two limits."""

    _headers_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.write(_BUSY)
            transport.close()
            return
        self._wait_for_headers()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:  # the headers are whole, or what came is no request
            self._stop_waiting()
        elif self._headers_due is None:
            self._wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_headers(self) -> None:
        self._headers_due = self.loop.call_later(HEADER_SECONDS, self.timeout_keep_alive_handler)

    def _stop_waiting(self) -> None:
        if self._headers_due:
            self._headers_due.cancel()
            self._headers_due = None

"""One connection of the HTTP server: how long a request may take to come, and how many there are at a time.

Uvicorn limits neither: `limit_concurrency` counts whole requests alone, so a client that sends half a header
could keep a connection, and enough of them every descriptor of the process.
"""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 10.0
"""For a request's headers, from the connection or the first byte on; the connection is closed then."""

BODY_SECONDS = 40.0
"""For a body; longer than `limits.BODY_SECONDS`. Nobody waits for the body of a request that was refused."""

MOST_CONNECTIONS = 512
"""At a time; beyond it a connection is answered with 503 and closed."""

_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


class LimitedConnection(H11Protocol):
    """Uvicorn's own, with these limits."""

    _awaited: type | None = None
    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.write(_BUSY)
            transport.close()
            return
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:  # of this request, or of one that came with it
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """A timer for what is to come. Parts of it do not move the timer."""
        awaited = self.conn.their_state
        if awaited is self._awaited:
            return
        self._stop_waiting()
        self._awaited = awaited
        if awaited is h11.IDLE:
            self._due = self.loop.call_later(HEADER_SECONDS, self.timeout_keep_alive_handler)
        elif awaited is h11.SEND_BODY:
            self._due = self.loop.call_later(BODY_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._due:
            self._due.cancel()
            self._due = None

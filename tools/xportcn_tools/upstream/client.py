"""The signed HTTP client. One deadline a call; failures sorted by whether the request was sent (`port.py`).

httpx is imported at the first call: it would slow the start.
"""

import importlib
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import anyio

from xportcn_tools.clock import utc_now
from xportcn_tools.upstream.envelope import UnreadableAnswerError, read_envelope
from xportcn_tools.upstream.http_clients import USER_AGENT, HttpClients, TransportFactory
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.port import (
    HELD_UP,
    AnswerLostError,
    MayLeave,
    NotSentError,
    UpstreamError,
)
from xportcn_tools.upstream.requests import CREATE_PATH, PREVIEW_PATH
from xportcn_tools.upstream.signing import Signer

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger(__name__)

HEADERS = {
    "connection": "keep-alive",
    "content-type": "application/json",
    "accept": "application/json",
    "accept-encoding": "identity",  # the size limit counts what came over the wire
    "user-agent": USER_AGENT,
}
ANSWER_LIMIT_BYTES = 2_000_000
PREVIEW_ATTEMPTS = 3


class _RetryableError(Exception):
    """A preview's temporary failure, carried into the retrying library and out of it."""

    def __init__(self, outcome: Reply | UpstreamError) -> None:
        # The library logs this text, so it holds nothing of the upstream's.
        super().__init__(f"HTTP {outcome.status}" if isinstance(outcome, Reply) else str(outcome))
        self.outcome = outcome


@dataclass(frozen=True)
class Endpoint:
    """Where the upstream is. `base_url` without a trailing slash; `timeout_seconds` for a whole call."""

    base_url: str
    timeout_seconds: float


class UpstreamClient:
    """The `Upstream` of one account, over HTTP. Close it with `aclose`.

    `new_transport` puts another httpx transport below (the embedded sandbox); without it, real sockets.
    `preview_attempts`: how often a preview is tried in all, where its failure may be temporary.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        signer: Signer,
        *,
        new_transport: TransportFactory | None = None,
        clock: Callable[[], datetime] = utc_now,
        preview_attempts: int = PREVIEW_ATTEMPTS,
    ) -> None:
        self._endpoint = endpoint
        self._signer = signer
        self._clock = clock
        self._preview_attempts = preview_attempts
        self._clients = HttpClients(endpoint.base_url, new_transport)
        self._urls: dict[str, httpx.URL] = {}

    async def aclose(self) -> None:
        await self._clients.aclose()

    async def preview(self, body: Mapping[str, Any], user_id: str | None = None) -> Reply:
        return await self._retried(PREVIEW_PATH, body, user_id)

    async def read(self, path: str, body: Mapping[str, Any], user_id: str | None = None) -> Reply:
        return await self._retried(path, body, user_id)

    def prepare(self) -> None:
        try:
            for name in ("httpx", "stamina"):  # at the first call
                importlib.import_module(name)
        except ImportError as error:
            raise NotSentError(f"what sending needs cannot be loaded ({error.name})") from error
        self._clients.prepare()

    async def create(
        self, body: Mapping[str, Any], user_id: str | None = None, *, may_leave: MayLeave = lambda: True
    ) -> Reply:
        # Over a connection of its own: a pooled one that the upstream has quietly closed would turn a
        # harmless miss into an unknown outcome.
        async with self._clients.new() as connection:
            return await self._within_deadline(
                lambda trace: self._exchange(connection, CREATE_PATH, body, trace, user_id), may_leave
            )

    async def _retried(self, path: str, body: Mapping[str, Any], user_id: str | None = None) -> Reply:
        import stamina  # noqa: PLC0415 - at the first call, with httpx

        pool = self._clients.least_busy()

        async def attempts(trace: "Trace") -> Reply:
            async for attempt in stamina.retry_context(
                on=self._wait_before_retry,
                attempts=self._preview_attempts,
                timeout=self._endpoint.timeout_seconds,
                wait_initial=0.2,
                wait_max=2.0,
                wait_jitter=0.2,
            ):
                with attempt:
                    try:
                        reply = await self._exchange(pool.http, path, body, trace, user_id)
                    except UpstreamError as error:
                        raise _RetryableError(error) from error
                    if reply.status == 429 or reply.status >= 500:
                        raise _RetryableError(reply)
                    return reply
            raise AssertionError  # pragma: no cover - the iterator returns or raises

        try:
            with pool:
                return await self._within_deadline(attempts)
        except _RetryableError as last:
            if isinstance(last.outcome, Reply):
                return last.outcome
            raise last.outcome from None

    def _wait_before_retry(self, error: Exception) -> bool | float:
        """As long as the upstream asks for; where that is beyond the deadline, there is no retry."""
        if not isinstance(error, _RetryableError):
            return False
        asked = error.outcome.retry_after if isinstance(error.outcome, Reply) else None
        return True if asked is None else asked < self._endpoint.timeout_seconds and float(asked)

    async def _within_deadline(
        self, call: "Callable[[Trace], Awaitable[Reply]]", may_leave: MayLeave = lambda: True
    ) -> Reply:
        """One deadline for connecting, sending and reading together."""
        trace = Trace(may_leave)
        seconds = self._endpoint.timeout_seconds
        try:
            with anyio.fail_after(seconds):
                return await call(trace)
        except TimeoutError:
            if trace.only_connecting:
                raise self._not_sent(f"no connection within {seconds:g} s") from None
            raise AnswerLostError(f"no whole answer within {seconds:g} s", sent=trace.sent) from None

    async def _exchange(
        self,
        http: "httpx.AsyncBaseTransport",
        path: str,
        body: Mapping[str, Any],
        trace: "Trace",
        user_id: str | None,
    ) -> Reply:
        import httpx  # noqa: PLC0415 - at the first call

        try:
            if path not in self._urls:
                self._urls[path] = httpx.URL(self._endpoint.base_url + path)
            request = httpx.Request(
                "POST",
                self._urls[path],
                content=json.dumps(body, ensure_ascii=False, allow_nan=False).encode(),
                headers=HEADERS | self._signer.sign(self._clock(), user_id=user_id),
                extensions={"trace": trace},
            )
        except (ValueError, TypeError, httpx.InvalidURL) as error:
            raise NotSentError(f"the request could not be made ({type(error).__name__})") from error
        try:
            response = await http.handle_async_request(request)
            try:
                if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
                    # Not asked for; 2 KB of nested compression unpack to a gigabyte.
                    return Reply(response.status_code, None, "the answer is compressed")
                answer = bytearray()
                async for chunk in response.aiter_bytes():
                    answer += chunk
                    if len(answer) > ANSWER_LIMIT_BYTES:
                        return Reply(response.status_code, None, "the answer is larger than 2 MB")
                return _reply(response.status_code, bytes(answer), response.headers.get("retry-after", ""))
            finally:
                await response.aclose()
        except NotSentError:  # it came too late to leave
            raise
        except Exception as error:
            name = type(error).__name__
            if not isinstance(error, httpx.HTTPError | httpx.StreamError | OSError):
                # Its type alone: the text of another program's error, and its traceback, may hold anything.
                logger.warning("a call of the upstream ended in an unexpected error: %s", name)
            if trace.sent:
                raise AnswerLostError(f"the exchange broke off ({name})", sent=True) from error
            if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
                raise NotSentError(f"the request could not be made ({name})") from error
            unconnected = httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError
            if trace.connecting or isinstance(error, unconnected | ImportError):
                raise self._not_sent(f"not connected ({name})") from error
            raise AnswerLostError(f"the exchange broke off ({name})", sent=False) from error

    def _not_sent(self, reason: str) -> NotSentError:
        through = "; the way is through a proxy, which `xportcn-mcp doctor` checks"
        return NotSentError(reason + through if self._clients.proxy else reason)


class Trace:
    """Listens to the HTTP library's own steps, to know whether a request had begun to leave, and closes what
    it leaves open. CONNECT, which asks a proxy for the way, is no such request.
    """

    def __init__(self, may_leave: MayLeave = lambda: True) -> None:
        self._may_leave = may_leave
        self.connecting = False
        self.sent = False
        self._stream: Any = None

    @property
    def only_connecting(self) -> bool:
        """A connection was begun, as the library itself says, and no request on it."""
        return self.connecting and not self.sent

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if "connect_tcp" in event:
            self.connecting = True
        if event.endswith("connect_tcp.complete"):
            self._stream = info.get("return_value")
        if (
            event.endswith(("start_tls.failed", "setup_socks5_connection.failed"))
            and self._stream is not None
        ):
            # httpcore leaves the socket open where a deadline, not an error, ends the handshake.
            with anyio.CancelScope(shield=True):
                await self._stream.aclose()
        if event.endswith("send_request_headers.started"):
            if getattr(info.get("request"), "method", None) == b"CONNECT":
                return
            if not self._may_leave():
                raise NotSentError(HELD_UP)
            self.sent = True


def _reply(status: int, body: bytes, retry_after: str) -> Reply:
    # A date there is left aside: it goes by a clock that may not be ours.
    seconds = min(int(retry_after), 3600) if re.fullmatch(r"[0-9]{1,9}", retry_after) else None
    try:
        return Reply(status, read_envelope(body), retry_after=seconds, body=body)
    except UnreadableAnswerError as departure:
        return Reply(status, None, str(departure), seconds, body)

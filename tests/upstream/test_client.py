"""The signed client on real sockets and in process: what is sent, how often, and what is said of it.

A `Peer` is an upstream made by hand, for what no well-behaved server does. It counts connections and
requests: that a create is sent once is seen there, not here.
"""

import gzip
import json
import logging
import os
import socket
import ssl
import subprocess
import sys
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Literal

import anyio
import anyio.abc
import httpcore
import httpx
import pytest
import stamina
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.tls import TLSStream

from harness.port_sandbox import running_sandbox
from harness.vendor_request import VENDOR_EXAMPLE_REQUEST
from xportcn_server.sandbox.access import SANDBOX_BASE_URL, SANDBOX_CREDENTIALS
from xportcn_server.sandbox.conduct import Pace
from xportcn_server.sandbox.faults import FAULTS
from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_server.sandbox.transport import SENT, SandboxTransport
from xportcn_tools.desk import problems
from xportcn_tools.upstream.client import ANSWER_LIMIT_BYTES, PREVIEW_ATTEMPTS, Endpoint, UpstreamClient
from xportcn_tools.upstream.http_clients import MOST_POOLS, POOL_CALLS, HttpClients, Pool
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.port import AnswerLostError, NotSentError, SettingUnusableError, UpstreamError
from xportcn_tools.upstream.proxy import proxy_for
from xportcn_tools.upstream.requests import CREATE_PATH, PREVIEW_PATH
from xportcn_tools.upstream.signing import Credentials, Signer

pytestmark = pytest.mark.anyio

ORDER = {**VENDOR_EXAMPLE_REQUEST, "tradeType": "assureTrade", "outOrderId": "PO-0001"}
SECRET = "SK-nobody-may-read-this"
ACCOUNT = Credentials("AK0123456789abcdef", SECRET, "user-7")
GOOD = b'{"requestId":"R1","code":200,"msg":"","data":{"orderIds":["1"]}}'
PATIENT, HASTY = 10.0, 0.4
MARGIN = 1.5
"""What a machine under load may need beyond a deadline."""

Call = Literal["create", "preview"]
CALLS: tuple[Call, ...] = ("create", "preview")


@pytest.fixture(autouse=True)
def no_proxy_of_this_person(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def quick_retries() -> Generator[None]:
    """No waiting between attempts; how many there are stays the client's own choice."""
    with stamina.set_testing(True, attempts=1000, cap=True):
        yield


# An upstream made by hand


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[anyio.abc.ByteStream, Received], Awaitable[None]]


@dataclass
class Peer:
    base_url: str
    connections: int = 0
    requests: list[Received] = field(default_factory=list[Received])


@asynccontextmanager
async def peer_that(answer: Answer) -> AsyncGenerator[Peer]:
    """A server on a free port, for as long as the block lasts; `answer` is called for each request."""

    async def serve(stream: anyio.abc.SocketStream) -> None:
        peer.connections += 1
        async with stream:
            incoming = BufferedByteReceiveStream(stream)
            with suppress(anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError):
                while True:
                    request = await _read_request(incoming)
                    peer.requests.append(request)
                    await answer(stream, request)

    async with raw_peer(serve) as peer:
        yield peer


@asynccontextmanager
async def raw_peer(serve: Callable[[anyio.abc.SocketStream], Awaitable[None]]) -> AsyncGenerator[Peer]:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - no Django here
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield Peer(f"http://127.0.0.1:{port}/api")
        tasks.cancel_scope.cancel()


async def _read_request(incoming: BufferedByteReceiveStream) -> Received:
    head = (await incoming.receive_until(b"\r\n\r\n", 65536)).decode()
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await incoming.receive_exactly(int(headers.get("content-length", "0")))
    return Received(first.split(" ")[1], headers, body)


def http(status: int, body: bytes, *more: str) -> bytes:
    head = "\r\n".join((f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *more))
    return head.encode() + b"\r\n\r\n" + body


def says(*answers: bytes) -> Answer:
    """One answer a request; the last one for all that follow."""
    left = list(answers)

    async def answer(stream: anyio.abc.ByteStream, request: Received) -> None:
        await stream.send(left.pop(0) if len(left) > 1 else left[0])

    return answer


def says_and_closes(data: bytes) -> Answer:
    async def answer(stream: anyio.abc.ByteStream, request: Received) -> None:
        if data:
            await stream.send(data)
        await stream.aclose()
        raise anyio.EndOfStream

    return answer


async def says_nothing(stream: anyio.abc.ByteStream, request: Received) -> None:
    await anyio.sleep_forever()


# A client to test


@asynccontextmanager
async def client_of(
    base_url: str,
    timeout_seconds: float = PATIENT,
    *,
    account: Credentials = ACCOUNT,
    new_transport: Callable[[], httpx.AsyncBaseTransport] | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AsyncGenerator[UpstreamClient]:
    client = UpstreamClient(
        Endpoint(base_url, timeout_seconds), Signer(account), new_transport=new_transport, clock=clock
    )
    try:
        with anyio.fail_after(30):
            yield client
    finally:
        await client.aclose()


async def send(client: UpstreamClient, call: Call, body: Mapping[str, Any] = ORDER) -> Reply:
    return await (client.create(body) if call == "create" else client.preview(body))


async def fate(client: UpstreamClient, call: Call = "create", body: Mapping[str, Any] = ORDER) -> str:
    """The end of a call in one word or two."""
    try:
        reply = await send(client, call, body)
    except NotSentError:
        return "not sent"
    except AnswerLostError:
        return "answer lost"
    return f"HTTP {reply.status}" + ("" if reply.envelope else ", unreadable")


# What is sent


@pytest.mark.usefixtures("quick_retries")
async def test_every_attempt_is_signed_afresh_with_the_five_headers() -> None:
    seconds = count()
    start = datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)
    answers = says(http(503, b""), http(429, b""), http(200, GOOD))
    async with (
        peer_that(answers) as peer,
        client_of(peer.base_url, clock=lambda: start + timedelta(seconds=next(seconds))) as client,
    ):
        assert (await client.preview(ORDER)).status == 200
        await client.create(ORDER)
    assert [request.path for request in peer.requests] == [
        *["/api" + PREVIEW_PATH] * 3,
        "/api" + CREATE_PATH,
    ]
    assert len({request.headers["nonce-str"] for request in peer.requests}) == 4
    for second, request in enumerate(peer.requests):
        moment = start + timedelta(seconds=second)
        expected = Signer(ACCOUNT).sign(moment, nonce=request.headers["nonce-str"])
        assert {name: request.headers[name] for name in expected} == expected
        assert len(expected) == 5


@pytest.mark.parametrize("call", CALLS)
async def test_the_body_is_json_in_utf8_that_stands_as_it_was_given(call: Call) -> None:
    body = {"message": "请尽快发货 «é» 🧧", "offerId": 610947572360, "quantity": 2}
    async with peer_that(says(http(200, GOOD))) as peer, client_of(peer.base_url) as client:
        await send(client, call, body)
    (request,) = peer.requests
    assert json.loads(request.body) == body
    assert "请尽快发货 «é» 🧧".encode() in request.body
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("call", CALLS)
async def test_the_sandbox_lets_the_client_in_over_a_port_and_in_process(call: Call) -> None:
    body = ORDER if call == "create" else VENDOR_EXAMPLE_REQUEST
    async with (
        running_sandbox() as (_, base_url),
        client_of(base_url, account=SANDBOX_CREDENTIALS) as client,
    ):
        over_a_port = await send(client, call, body)
    async with in_process() as (_, client):
        inside = await send(client, call, body)
    for reply in (over_a_port, inside):
        assert reply.status == 200
        assert reply.envelope
        assert reply.envelope.succeeded


# How often it is sent


@asynccontextmanager
async def in_process(timeout_seconds: float = PATIENT) -> AsyncGenerator[tuple[Sandbox, UpstreamClient]]:
    sandbox = build_sandbox(pace=QUICK_OR_NEVER)
    async with client_of(
        SANDBOX_BASE_URL,
        timeout_seconds,
        account=SANDBOX_CREDENTIALS,
        new_transport=lambda: SandboxTransport(sandbox),
    ) as client:
        yield sandbox, client


QUICK_OR_NEVER = Pace(slow_seconds=0.01, drip_seconds=60)
SILENT = {"timeout-before-read", "hang-before-order", "hang", "drip"}
LOST = SILENT | {"reset-before-order", "reset-after-order"}
CREATE_FAULTS = [name for name, fault in FAULTS.items() if "create" in fault.endpoints]


def expected_of(fault: str) -> str:
    """What the client makes of a sandbox's fault on create."""
    if fault in LOST:
        return "answer lost"
    if fault == "not-connectable":
        return "not sent"
    status = {"redirect": 302}.get(fault, 200)
    if fault.startswith("http-"):
        status = int(fault.split("-")[1])
    pages = {"http-500", "http-502", "http-503", "http-429", "redirect", "html", "cut-json", "too-large"}
    return f"HTTP {status}" + (", unreadable" if fault in pages | {"no-code"} else "")


@pytest.mark.parametrize(
    "name", sorted(LOST | {"http-500", "http-429-envelope", "redirect", "too-large", "no-ids"})
)
async def test_over_a_port_a_create_that_fails_is_sent_once_and_told_as_it_was(name: str) -> None:
    sandbox = build_sandbox(pace=QUICK_OR_NEVER)
    sandbox.faults.add(name, "create")
    async with running_sandbox(sandbox) as (_, base_url):
        seconds = HASTY if name in SILENT else PATIENT
        async with client_of(base_url, seconds, account=SANDBOX_CREDENTIALS) as client:
            # A second attempt would meet no fault, and succeed.
            assert await fate(client) == expected_of(name)
            assert sandbox.books.received["create"] == (0 if name == "timeout-before-read" else 1)
            assert len(sandbox.books.orders) == FAULTS[name].order_exists


@pytest.mark.parametrize("name", CREATE_FAULTS)
async def test_in_process_a_create_that_fails_is_sent_once_and_told_as_it_was(name: str) -> None:
    async with in_process(HASTY if name in SILENT else PATIENT) as (sandbox, client):
        sandbox.faults.add(name, "create")
        assert await fate(client) == expected_of(name)
        unread = name in {"timeout-before-read", "not-connectable"}
        assert sandbox.books.received["create"] == (0 if unread else 1)
        assert len(sandbox.books.orders) == FAULTS[name].order_exists


PASSING = {
    "429": says(http(429, b"")),
    "500": says(http(500, GOOD)),
    "503": says(http(503, b"<html>")),
    "599": says(http(599, b"")),
    "closes without answer": says_and_closes(b""),
    "answer cut": says_and_closes(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"),
}


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("failure", PASSING)
async def test_a_preview_is_tried_three_times_and_a_create_once(failure: str) -> None:
    async with peer_that(PASSING[failure]) as peer, client_of(peer.base_url) as client:
        previewed = await fate(client, "preview")
        assert len(peer.requests) == PREVIEW_ATTEMPTS == 3
        peer.requests.clear()
        # The last attempt's failure is the call's: nothing is made up on the way out.
        assert await fate(client) == previewed
        assert len(peer.requests) == 1


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("status", [200, 302, 400, 401, 404])
async def test_a_preview_that_got_a_definite_answer_is_not_tried_again(status: int) -> None:
    async with peer_that(says(http(status, GOOD))) as peer, client_of(peer.base_url) as client:
        assert await fate(client, "preview") == f"HTTP {status}"
        assert len(peer.requests) == 1


@pytest.mark.usefixtures("quick_retries")
async def test_a_preview_gets_over_a_connection_that_fails_twice() -> None:
    failures = iter([httpx.ConnectError("refused"), httpx.ConnectTimeout("late")])

    class Stumbling(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            for failure in failures:
                raise failure
            return await super().handle_async_request(request)

    async with (
        peer_that(says(http(200, GOOD))) as peer,
        client_of(peer.base_url, new_transport=Stumbling) as client,
    ):
        assert await fate(client, "preview") == "HTTP 200"
        assert len(peer.requests) == 1


async def test_all_attempts_of_a_preview_share_one_deadline() -> None:
    async def answer(stream: anyio.abc.ByteStream, request: Received) -> None:
        if len(peer.requests) == 2:
            await anyio.sleep_forever()
        await stream.send(http(503, b""))

    async with peer_that(answer) as peer, client_of(peer.base_url, 1) as client:
        with anyio.fail_after(1 + MARGIN):
            assert await fate(client, "preview") == "answer lost"
        assert len(peer.requests) == 2


async def test_previews_share_a_connection_and_each_create_has_its_own() -> None:
    async with peer_that(says(http(200, GOOD))) as peer, client_of(peer.base_url) as client:
        await client.preview(ORDER)
        await client.preview(ORDER)
        assert peer.connections == 1
        await client.create(ORDER)
        await client.create(ORDER)
        assert peer.connections == 3
        await client.preview(ORDER)
        assert peer.connections == 3


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", CALLS)
async def test_a_redirect_is_reported_and_not_followed(call: Call, status: int) -> None:
    async with peer_that(says(http(200, GOOD))) as elsewhere:
        location = f"location: {elsewhere.base_url}{CREATE_PATH}"
        async with (
            peer_that(says(http(status, b"", location))) as peer,
            client_of(peer.base_url) as client,
        ):
            assert await fate(client, call) == f"HTTP {status}, unreadable"
            assert len(peer.requests) == 1
        assert elsewhere.connections == 0


# The size of an answer


async def test_an_answer_without_end_is_cut_and_not_read() -> None:
    sent = 0

    async def answer(stream: anyio.abc.ByteStream, request: Received) -> None:
        nonlocal sent
        await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: 900000000\r\n\r\n")
        while True:  # until the client has gone
            await stream.send(b"x" * 65536)
            sent += 65536

    async with peer_that(answer) as peer, client_of(peer.base_url) as client:
        reply = await client.create(ORDER)
        assert (reply.status, reply.envelope) == (200, None)
        assert reply.unreadable == "the answer is larger than 2 MB"
    assert sent < 10 * ANSWER_LIMIT_BYTES  # what was read, and what the sockets hold


@pytest.mark.parametrize(("size", "readable"), [(ANSWER_LIMIT_BYTES, True), (ANSWER_LIMIT_BYTES + 1, False)])
async def test_an_answer_of_two_megabytes_is_read_and_one_byte_more_is_not(size: int, readable: bool) -> None:
    body = GOOD + b" " * (size - len(GOOD))
    async with peer_that(says(http(200, body))) as peer, client_of(peer.base_url) as client:
        assert bool((await client.create(ORDER)).envelope) is readable


# The deadline


@pytest.mark.parametrize(
    ("name", "call"), [*((name, "create") for name in sorted(SILENT)), ("drip", "preview")]
)
async def test_one_deadline_ends_connecting_and_reading_together(name: str, call: Call) -> None:
    # A drop each fifth of a second would keep any time-out between two drops content for ever.
    sandbox = build_sandbox(pace=Pace(drip_seconds=0.2))
    sandbox.faults.add(name, call, times=None)
    async with (
        running_sandbox(sandbox) as (_, base_url),
        client_of(base_url, 1, account=SANDBOX_CREDENTIALS) as client,
    ):
        begun = anyio.current_time()
        with anyio.fail_after(1 + MARGIN):
            assert await fate(client, call) == "answer lost"
        assert anyio.current_time() - begun > 0.9


async def test_an_answer_that_comes_within_the_deadline_is_had() -> None:
    async with running_sandbox(build_sandbox(pace=Pace(slow_seconds=0.2))) as (sandbox, base_url):
        sandbox.faults.add("slow", "create")
        async with client_of(base_url, account=SANDBOX_CREDENTIALS) as client:
            assert await fate(client) == "HTTP 200"


# Not sent


def over(backend: httpcore.AsyncNetworkBackend) -> httpx.AsyncBaseTransport:
    """The installed httpcore, whole, above a network of ours."""
    transport = httpx.AsyncHTTPTransport()
    transport._pool = httpcore.AsyncConnectionPool(network_backend=backend)  # pyright: ignore[reportPrivateUsage]
    return transport


class Network(httpcore.AsyncNetworkBackend):
    """A network without a network, that stops or fails where told to: connect, tls, write, read."""

    def __init__(self, at: str, failure: Exception | None = None) -> None:
        self.at = at
        self.failure = failure
        self.reached: list[str] = []
        self.timeouts: list[float | None] = []
        self.open = 0

    async def step(self, name: str) -> None:
        self.reached.append(name)
        if name == self.at:
            if self.failure:
                raise self.failure
            await anyio.sleep_forever()

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
        self.timeouts.append(kwargs["timeout"])
        await self.step("connect")
        self.open += 1
        return NetworkStream(self)


class NetworkStream(httpcore.AsyncNetworkStream):
    def __init__(self, network: Network) -> None:
        self._network = network
        self._closed = False

    async def start_tls(self, *args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
        self._network.timeouts.append(kwargs["timeout"])
        await self._network.step("tls")
        return self

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's
        self._network.timeouts.append(timeout)
        await self._network.step("write")

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's
        self._network.timeouts.append(timeout)
        await self._network.step("read")
        return b""

    async def aclose(self) -> None:
        self._network.open -= not self._closed
        self._closed = True

    def get_extra_info(self, info: str) -> Any:
        return None


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("at", "told"),
    [("connect", "not sent"), ("tls", "not sent"), ("write", "answer lost"), ("read", "answer lost")],
)
async def test_a_deadline_before_the_first_byte_is_not_sent_and_after_it_answer_lost(
    at: str, told: str, call: Call
) -> None:
    # Also the guard against an httpcore that gives its steps other names: the client would then mistake one for
    # another, or know nothing.
    network = Network(at)
    async with client_of("https://upstream.test/api", HASTY, new_transport=lambda: over(network)) as client:
        assert await fate(client, call) == told
    assert network.reached[-1] == at
    assert network.open == 0
    assert set(network.timeouts) == {None}  # a step's own time-out would end a slow but living exchange


@pytest.mark.parametrize(
    "failure",
    [
        httpcore.ConnectError("All connection attempts failed"),
        httpcore.ConnectTimeout(),
        OverflowError("connect_tcp: port must be 0-65535."),
        UnicodeError("label too long"),
        ssl.SSLError("no cipher"),
    ],
    ids=repr,
)
async def test_a_failure_while_connecting_was_not_sent(failure: Exception) -> None:
    for at in ("connect", "tls"):
        network = Network(at, failure)
        async with client_of("https://upstream.test", new_transport=lambda: over(network)) as client:  # noqa: B023
            assert await fate(client) == "not sent"
        assert "write" not in network.reached


@pytest.mark.parametrize(
    "failure",
    [httpcore.ReadError(), httpcore.ReadTimeout(), httpcore.WriteError(), OSError(), ValueError("odd")],
    ids=repr,
)
@pytest.mark.parametrize("at", ["write", "read"])
async def test_a_failure_from_the_first_byte_on_may_have_been_sent(at: str, failure: Exception) -> None:
    network = Network(at, failure)
    async with client_of("https://upstream.test", new_transport=lambda: over(network)) as client:
        assert await fate(client) == "answer lost"
    assert network.reached.count("connect") == 1


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError]
)
async def test_a_transport_that_says_it_did_not_connect_is_believed(
    failure: type[httpx.TransportError],
) -> None:
    class Failing(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise failure("no")

    async with client_of("https://upstream.test", new_transport=Failing) as client:
        assert await fate(client) == "not sent"


async def test_a_transport_that_tells_nothing_may_have_sent() -> None:
    class Hanging(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await anyio.sleep_forever()
            raise AssertionError

    async with client_of("https://upstream.test", HASTY, new_transport=Hanging) as client:
        assert await fate(client) == "answer lost"


async def test_httpcore_tells_of_its_steps_by_the_names_that_the_client_listens_for() -> None:
    events: list[str] = []

    async def trace(event: str, info: Mapping[str, Any]) -> None:
        events.append(event)
        if event == "connection.connect_tcp.started":
            assert peer.connections == 0
        if event == SENT:
            assert peer.requests == []

    async with peer_that(says(http(200, GOOD))) as peer, httpx.AsyncClient(trust_env=False) as client:
        await client.post(peer.base_url, content=b"{}", extensions={"trace": trace})
    assert SENT == "http11.send_request_headers.started"
    begun = [event for event in events if event.endswith(".started")]
    assert begun[:3] == ["connection.connect_tcp.started", SENT, "http11.send_request_body.started"]


async def test_a_port_where_nobody_listens_was_not_sent_to() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody else can listen there meanwhile
        async with client_of(f"http://127.0.0.1:{taken.getsockname()[1]}/api") as client:
            for call in CALLS:
                assert await fate(client, call) == "not sent"


async def test_a_name_that_resolves_to_nothing_was_not_sent_to(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def resolve(host: object, *args: object, **kwargs: object) -> None:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    async with client_of("https://upstream.invalid/api") as client:
        assert await fate(client) == "not sent"
    assert asked == [b"upstream.invalid"]


@pytest.mark.parametrize(
    "base_url",
    ["http://127.0.0.1:99999", "http://", "ftp://127.0.0.1", "http://[::1", f"http://{'a' * 64}.invalid"],
)
@pytest.mark.usefixtures("quick_retries")
async def test_an_address_that_cannot_be_was_not_sent_to(base_url: str) -> None:
    async with client_of(base_url) as client:
        for call in CALLS:
            assert await fate(client, call) == "not sent"


async def test_plain_http_where_tls_was_expected_was_not_sent() -> None:
    heard = bytearray()

    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            heard.extend(await stream.receive())
            await stream.send(http(400, b"<html>plain HTTP here"))

    async with (
        raw_peer(serve) as peer,
        client_of(peer.base_url.replace("http:", "https:")) as client,
    ):
        assert await fate(client) == "not sent"
    assert heard
    assert CREATE_PATH.encode() not in heard


async def test_a_server_that_hangs_in_the_tls_handshake_was_not_sent_to() -> None:
    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await anyio.sleep_forever()

    async with (
        raw_peer(serve) as peer,
        client_of(peer.base_url.replace("http:", "https:"), HASTY) as client,
    ):
        assert await fate(client) == "not sent"


@pytest.mark.skipif(sys.platform != "linux", reason="others let connections beyond the backlog in")
async def test_a_server_too_busy_to_take_connections_was_not_sent_to() -> None:
    with socket.socket() as full, socket.socket() as first:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        first.connect(full.getsockname())
        async with client_of(f"http://127.0.0.1:{full.getsockname()[1]}/api", HASTY) as client:
            begun = anyio.current_time()
            assert await fate(client) == "not sent"
            assert anyio.current_time() - begun >= HASTY - 0.05


@pytest.mark.parametrize(
    ("account", "body"),
    [
        (Credentials("AK", SECRET, "用户七"), ORDER),
        (ACCOUNT, {"quantity": float("nan")}),
        (ACCOUNT, {"quantity": object()}),
        (ACCOUNT, {"message": "\ud800"}),
    ],
    ids=["header", "nan", "type", "surrogate"],
)
@pytest.mark.usefixtures("quick_retries")
async def test_a_request_that_cannot_be_written_was_not_sent(
    account: Credentials, body: dict[str, Any]
) -> None:
    async with peer_that(says(http(200, GOOD))) as peer, client_of(peer.base_url, account=account) as client:
        for call in CALLS:
            assert await fate(client, call, body) == "not sent"
    assert peer.requests == []


# Answer lost

BROKEN = {
    "closed without answer": b"",
    "half a status line": b"HTTP/1.1 2",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "cut body": b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n" + GOOD,
    "broken chunking": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n" + GOOD,
    "cut chunking": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
}


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, gzip", "x-own", "identity, gzip"])
@pytest.mark.parametrize("call", CALLS)
async def test_a_compressed_answer_is_unreadable_and_never_unpacked(call: Call, coding: str) -> None:
    """Two kilobytes of nested compression unpack to a gigabyte; nothing but identity was asked for."""
    packed = gzip.compress(
        gzip.compress(json.dumps({"code": 200, "data": {"orderIds": ["1" * 19]}}).encode())
    )
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {len(packed)}\r\n\r\n"
    async with peer_that(says(head.encode() + packed)) as peer, client_of(peer.base_url) as client:
        assert await fate(client, call) == "HTTP 200, unreadable"


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_broken_exchange_is_an_answer_lost(kind: str) -> None:
    async with peer_that(says_and_closes(BROKEN[kind])) as peer, client_of(peer.base_url) as client:
        assert await fate(client) == "answer lost"
        assert (peer.connections, len(peer.requests)) == (1, 1)


async def test_a_create_that_is_cancelled_is_cancelled_and_sent_at_most_once() -> None:
    arrived = anyio.Event()

    async def answer(stream: anyio.abc.ByteStream, request: Received) -> None:
        arrived.set()
        await anyio.sleep_forever()

    async with peer_that(answer) as peer, client_of(peer.base_url) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.create, ORDER)
            await arrived.wait()
            tasks.cancel_scope.cancel()
        assert len(peer.requests) == 1


# What is not told


def printed(error: BaseException) -> str:
    """All that a log or a crash report could show of an exception."""
    chain: Iterable[str] = traceback.format_exception(error)
    return "".join(chain) + repr(error) + str(error) + repr(error.args)


FAILURES: dict[str, Answer] = {
    "closed": says_and_closes(b""),
    "no HTTP": says_and_closes(b"SSH-2.0\r\n\r\n"),
    "hang": says_nothing,
    "503": says(http(503, GOOD.replace(b'""', '"仓库"'.encode()))),
}


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("call", CALLS)
async def test_no_error_and_no_log_holds_the_secret_the_signature_or_the_address(
    call: Call, failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = ""
    async with peer_that(FAILURES[failure]) as peer, client_of(peer.base_url, HASTY) as client:
        try:
            await send(client, call)
        except UpstreamError as error:
            told = printed(error)
        told += repr(client)
    logged = "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "send_request_headers" in logged  # the log is listened to
    name = "张三"
    assert name.encode() in peer.requests[0].body
    for text in (told, logged):
        assert SECRET not in text
        assert name not in text
        for request in peer.requests:
            assert request.headers["signature"] not in text


@pytest.mark.usefixtures("quick_retries")
async def test_a_retry_is_logged_without_the_words_of_the_upstream(caplog: pytest.LogCaptureFixture) -> None:
    answer = http(503, '{"code": 503, "data": {"fullName": "王小明"}, "msg": "忙"}'.encode())
    async with peer_that(says(answer, http(200, GOOD))) as peer, client_of(peer.base_url) as client:
        await client.preview(ORDER)
    retries = [vars(record) for record in caplog.records if record.name == "stamina"]
    assert len(retries) == 1
    assert "王小明" not in str(retries)
    assert "503" in str(retries)


def test_the_text_of_a_client_and_its_signer_holds_no_secret() -> None:
    signer = Signer(ACCOUNT)
    client = UpstreamClient(Endpoint("https://upstream.test", 1), signer)
    assert SECRET not in repr(client) + repr(signer) + repr(ACCOUNT) + str(signer)


# Proxies


async def test_a_proxy_of_the_environment_is_obeyed_and_learns_nothing_but_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with peer_that(says(http(502, b"no"))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.base_url.removesuffix("/api"))
        async with client_of("https://upstream.test/api") as client:
            assert await fate(client) == "not sent"
    (request,) = proxy.requests
    assert request.path == "upstream.test:443"
    assert not {"signature", "access-key", "nonce-str"} & request.headers.keys()


@pytest.mark.parametrize(
    "proxy", ["http://desk:{}#x@proxy:80", "http://desk:{}/x@proxy:80", "ftp://desk:{}@proxy"]
)
async def test_no_part_of_the_password_of_a_proxy_that_cannot_be_used_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.format("Kolibri7719"))
    async with client_of("https://upstream.test/api") as client:
        assert await fate(client) == "not sent"
    assert caplog.text
    assert "Kolibri7719" not in caplog.text


async def test_plain_http_goes_past_every_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with peer_that(says(http(200, GOOD))) as proxy, peer_that(says(http(200, GOOD))) as peer:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.base_url.removesuffix("/api"))
        async with client_of(peer.base_url) as client:
            assert await fate(client) == "HTTP 200"
    assert (proxy.connections, peer.connections) == (0, 1)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HTTPS_PROXY", "nonsense://127.0.0.1", "proxy setting"),
        ("HTTPS_PROXY", "socks4://127.0.0.1:1080", "proxy setting"),
        ("HTTPS_PROXY", "http://[::1", "proxy setting"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem", "TLS setting"),
        ("SSLKEYLOGFILE", "/nowhere/keys.log", "TLS setting"),
    ],
)
@pytest.mark.usefixtures("quick_retries")
async def test_a_setting_that_no_connection_can_be_made_with_is_named_and_sends_nothing(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    async with client_of("https://upstream.test/api", HASTY) as client:
        for call in CALLS:
            with pytest.raises(SettingUnusableError, match=said) as refused:
                await send(client, call)
            assert "xportcn-mcp doctor" in str(refused.value)
            assert "doctor" in problems.no_usable_answer(refused.value).problem.next_step


REFUSED_BY_SOCKS = b"\x05\x00\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"
PROXIES = {
    "hangs": b"",
    "refuses": http(403, b"no"),
    "is no proxy": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "lets through and hangs": b"HTTP/1.1 200 OK\r\n\r\n",
    "speaks no SOCKS": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "refuses by SOCKS": REFUSED_BY_SOCKS,
    "lets through by SOCKS and hangs": REFUSED_BY_SOCKS.replace(b"\x05\x05", b"\x05\x00"),
}


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks"])
@pytest.mark.parametrize("kind", PROXIES)
async def test_a_create_that_a_proxy_holds_up_or_refuses_was_not_sent(
    kind: str, scheme: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            heard.extend(await stream.receive())
            await stream.send(PROXIES[kind])
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                while True:
                    heard.extend(await stream.receive())

    caplog.set_level(logging.DEBUG)
    heard = bytearray()
    async with raw_peer(serve) as proxy:
        address = proxy.base_url.removeprefix("http://").removesuffix("/api")
        monkeypatch.setenv("ALL_PROXY", f"{scheme}://desk:Kolibri7719@{address}")
        async with client_of("https://upstream.test/api", HASTY) as client:
            with pytest.raises(NotSentError, match="proxy, which `xportcn-mcp doctor` checks") as refused:
                await client.create(ORDER)
    assert heard
    assert CREATE_PATH.encode() not in heard
    assert "Kolibri7719" not in printed(refused.value) + caplog.text


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks"])
@pytest.mark.parametrize("answered", [True, False])
async def test_through_a_proxy_a_create_arrives_once_and_counts_as_sent_from_its_own_first_byte_on(
    scheme: str, answered: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    requests: list[Received] = []
    async with raw_peer(serving_tls(certificate, http(200, GOOD) if answered else b"", requests)) as peer:
        _, _, port = peer.base_url.removesuffix("/api").rpartition(":")

        async def relay(stream: anyio.abc.SocketStream) -> None:
            async with stream, await anyio.connect_tcp("127.0.0.1", int(port)) as onward:
                await stream.receive()
                if scheme == "http":
                    await stream.send(b"HTTP/1.1 200 OK\r\n\r\n")
                else:
                    await stream.send(b"\x05\x00")
                    await stream.receive()
                    await stream.send(REFUSED_BY_SOCKS[2:].replace(b"\x05\x05", b"\x05\x00"))
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(pump, stream, onward)
                    await pump(onward, stream)
                    tasks.cancel_scope.cancel()

        async with raw_peer(relay) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.base_url.removesuffix("/api").replace("http", scheme))
            async with client_of(f"https://127.0.0.1:{port}/api", PATIENT if answered else 2) as client:
                assert await fate(client) == ("HTTP 200" if answered else "answer lost")
    assert [request.path for request in requests] == ["/api" + CREATE_PATH]


async def pump(source: anyio.abc.SocketStream, sink: anyio.abc.SocketStream) -> None:
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        while True:
            await sink.send(await source.receive())


PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("host", "environment", "proxy"),
    [
        ("www.xportcn.com", {}, None),
        ("www.xportcn.com", {"HTTPS_PROXY": PROXY}, PROXY),
        ("www.xportcn.com", {"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, PROXY),
        ("www.xportcn.com", {"HTTPS_PROXY": "proxy:3128"}, PROXY),
        ("www.xportcn.com", {"ALL_PROXY": "socks://proxy:1080/"}, "socks5://proxy:1080/"),
        ("www.xportcn.com", {"ALL_PROXY": "socks5h://proxy:1080"}, "socks5h://proxy:1080"),
        ("www.xportcn.com", {"HTTP_PROXY": PROXY}, None),
        ("www.xportcn.com", {"HTTPS_PROXY": PROXY, "NO_PROXY": "xportcn.com"}, None),
        ("www.xportcn.com", {"HTTPS_PROXY": PROXY, "NO_PROXY": " .XPORTCN.com , other"}, None),
        ("www.xportcn.com:8443", {"HTTPS_PROXY": PROXY, "NO_PROXY": "www.xportcn.com:8443"}, None),
        ("www.xportcn.com", {"HTTPS_PROXY": PROXY, "NO_PROXY": "portcn.com,10.0.0.0/8"}, PROXY),
        ("www.xportcn.com", {"HTTPS_PROXY": PROXY, "NO_PROXY": "localhost,*"}, None),
        ("10.2.3.4", {"HTTPS_PROXY": PROXY, "NO_PROXY": "10.0.0.0/8"}, None),
        ("10.2.3.4:8443", {"HTTPS_PROXY": PROXY, "NO_PROXY": "10.2.3.4"}, None),
        ("11.2.3.4", {"HTTPS_PROXY": PROXY, "NO_PROXY": "10.0.0.0/8,::/0"}, PROXY),
        ("[fd00::7]:8443", {"HTTPS_PROXY": PROXY, "NO_PROXY": "fd00::/8"}, None),
        ("[fd00::7]", {"HTTPS_PROXY": PROXY, "NO_PROXY": "[fd00:0::7]"}, None),
        ("[fe00::7]", {"HTTPS_PROXY": PROXY, "NO_PROXY": "fd00::/8,fd00::7"}, PROXY),
    ],
)
def test_the_proxy_is_the_one_that_the_platforms_rules_give_for_this_host(
    host: str, environment: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(f"https://{host}/api") == proxy
    assert proxy_for(f"http://{host}/api") is None


# Certificates


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_create_goes_to_a_trusted_certificate_and_to_no_other(
    trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    requests: list[Received] = []
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with (
        raw_peer(serving_tls(certificate, http(200, GOOD), requests)) as peer,
        client_of(peer.base_url.replace("http:", "https:")) as client,
    ):
        assert await fate(client) == ("HTTP 200" if trusted else "not sent")
    assert len(requests) == (1 if trusted else 0)


def serving_tls(
    certificate: Path, answer: bytes, requests: list[Received]
) -> Callable[[anyio.abc.SocketStream], Awaitable[None]]:
    """A peer over TLS that gives each request this answer, and then waits until the client is gone."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            with suppress(anyio.BrokenResourceError, anyio.EndOfStream, anyio.IncompleteRead, ssl.SSLError):
                tls = await TLSStream.wrap(
                    stream, server_side=True, ssl_context=context, standard_compatible=False
                )
                incoming = BufferedByteReceiveStream(tls)
                while True:
                    requests.append(await _read_request(incoming))
                    await tls.send(answer)

    return serve


def self_signed(folder: Path) -> Path:
    from ipaddress import IPv4Address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / "peer.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


# The life of a client


async def test_a_closed_client_lets_its_connections_go() -> None:
    gone = anyio.Event()

    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            incoming = BufferedByteReceiveStream(stream)
            await _read_request(incoming)
            await stream.send(http(200, GOOD))
            with pytest.raises((anyio.IncompleteRead, anyio.EndOfStream)):
                await _read_request(incoming)
            gone.set()

    async with raw_peer(serve) as peer, client_of(peer.base_url) as client:
        await client.preview(ORDER)
        assert not gone.is_set()
        await client.aclose()
        await client.aclose()
        await gone.wait()


def test_httpx_is_not_loaded_before_the_first_call() -> None:
    program = (
        "import sys, xportcn_tools.upstream.client, xportcn_server.app\n"
        "print([name for name in ('httpx', 'httpcore', 'stamina') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


async def test_calls_at_one_time_go_to_small_pools_and_a_lone_caller_to_the_first() -> None:
    clients = HttpClients("http://127.0.0.1/api", lambda: httpx.MockTransport(lambda _: httpx.Response(200)))
    clients.prepare()
    first = clients.least_busy()
    pools: list[Pool] = []
    with ExitStack() as calls:
        for _ in range(POOL_CALLS * MOST_POOLS + 3):
            pools.append(clients.least_busy())
            calls.enter_context(pools[-1])
        assert [pools.count(pool) for pool in dict.fromkeys(pools)] == [9, 9, 9] + [8] * (MOST_POOLS - 3)
    assert clients.least_busy() is first is pools[0]
    await clients.aclose()

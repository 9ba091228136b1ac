"""`serve --http` as a client and a stranger meet it: both eras, who gets in, limits, health, and its end."""

import asyncio
import contextlib
import json
import logging
import signal
import socket
import sys
from asyncio import StreamReader
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from mcp_types import METHOD_NOT_FOUND

from harness.house import ADDRESS, ERAS, Era, Person, call, order_arguments, previewed
from harness.over_http import (
    ACCEPT,
    INITIALIZE,
    STATE_KEY,
    bearer,
    client_of,
    http_client,
    made_callers,
    modern,
    modern_headers,
    serving,
)
from harness.port_sandbox import running_sandbox
from harness.processes import process_environment, processes, ran, xportcn_mcp
from harness.settings import environ_of, live, settings_for
from xportcn_server.http import application, limits
from xportcn_server.http import connections as http_connections
from xportcn_server.http.application import MOST_BODY_BYTES, Readiness
from xportcn_server.http.limits import MOST_CALLS, MOST_CALLS_OF_ONE, MOST_SESSIONS_OF_ONE
from xportcn_server.parts import Seams, ledger_of
from xportcn_server.sandbox.conduct import Pace
from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_server.serve import StartError, serve_over_http
from xportcn_tools.ledger.ledger import LedgerUnavailableError, OrderQuery

pytestmark = pytest.mark.anyio

KEYS = pytest.mark.parametrize("keys", ["", STATE_KEY], ids=["sessions", "stateless"])


@dataclass
class Site:
    """A server in this loop, its sandbox and its callers."""

    url: str
    sandbox: Sandbox
    tokens: dict[str, str] = field(default_factory=dict[str, str])


@asynccontextmanager
async def site(
    folder: Path,
    *names: str,
    sandbox: Sandbox | None = None,
    bound_to: str = "127.0.0.1",
    **changes: str,
) -> AsyncGenerator[Site]:
    tokens = made_callers(folder / "callers.toml", *names)
    if not changes.get("STATE_KEYS"):
        changes.pop("STATE_KEYS", None)
    if names:
        changes["CALLERS"] = str(folder / "callers.toml")
    settings = settings_for(folder / "ledger.sqlite3", **changes)
    sandbox = sandbox or build_sandbox()
    with anyio.fail_after(60):
        async with serving(settings, Seams(sandbox=sandbox), ledger_of(settings), bound_to) as url:
            yield Site(url, sandbox, tokens)


@KEYS
@pytest.mark.parametrize("era", ERAS)
async def test_a_whole_order_goes_over_http_with_a_form_where_the_client_can_be_asked(
    tmp_path: Path, era: Era, keys: str
) -> None:
    person = Person()
    async with (
        site(tmp_path, "alice", STATE_KEYS=keys) as here,
        client_of(here.url, here.tokens["alice"], era, person) as client,
    ):
        assert len((await client.list_tools()).tools) == 5
        arguments = (await previewed(client))["create_order_arguments"]
        first = await call(client, "create_order", arguments)
        again = await call(client, "create_order", arguments)
        listed = await call(client, "get_orders")
    # A client of the older protocol cannot be reached where the process keeps no session with it.
    asked = not (era == "legacy" and keys)
    assert len(person.asked) == asked
    assert first["order"]["approval"] == {
        "method": "form" if asked else "client_dialog",
        "verified": asked,
    }
    assert (first["order"]["state"], first["order"]["replayed"]) == ("placed", False)
    assert again["order"] == first["order"] | {"replayed": True}
    assert [order["order_ids"] for order in listed["orders"]] == [first["order"]["order_ids"]]
    assert here.sandbox.books.received["create"] == 1


@KEYS
@pytest.mark.parametrize("era", ERAS)
async def test_a_no_over_http_spends_nothing(tmp_path: Path, era: Era, keys: str) -> None:
    async with (
        site(tmp_path, APPROVAL="require", STATE_KEYS=keys) as here,
        client_of(here.url, era=era, person=Person("decline")) as client,
    ):
        arguments = (await previewed(client))["create_order_arguments"]
        told = await call(client, "create_order", arguments)
    expected = "approval_required" if era == "legacy" and keys else "approval_declined"
    assert told["problem"]["code"] == expected
    assert here.sandbox.books.received["create"] == 0


@pytest.mark.parametrize("rule", ["", "ask", "off"])
@pytest.mark.parametrize("keys", ["", STATE_KEY], ids=["sessions", "stateless"])
async def test_a_real_order_over_http_needs_a_recorded_yes_unless_the_owner_chose_another_rule(
    tmp_path: Path, keys: str, rule: str
) -> None:
    async with running_sandbox(build_sandbox()) as (sandbox, base_url):
        changes = live(base_url) | ({"APPROVAL": rule} if rule else {})
        async with (
            site(tmp_path, "alice", sandbox=sandbox, **{"STATE_KEYS": keys, **changes}) as here,
            client_of(here.url, here.tokens["alice"]) as client,  # it cannot show a form
        ):
            preview = await previewed(client)
            answer = await call(client, "create_order", preview["create_order_arguments"])
        if rule:
            method = {"ask": "client_dialog", "off": "off"}[rule]
            assert answer["order"]["approval"] == {"method": method, "verified": False}
        else:
            assert (answer["problem"]["code"], answer["order"]) == ("approval_required", None)
            next_step = answer["problem"]["next_step"]
            assert f"xportcn-mcp approve {preview['approval_code']}" in next_step
            assert "at / of this server's address" in next_step
            assert "`xportcn-mcp page`" not in next_step, "that opens it on the owner's machine alone"
        assert sandbox.books.received["create"] == (1 if rule else 0)


async def test_a_loopback_server_without_callers_serves_the_local_user(tmp_path: Path) -> None:
    async with site(tmp_path) as here, client_of(here.url) as client:
        assert (await previewed(client))["preview_token"]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("xc_wrong"),
        {"authorization": "Basic eDp5"},
        {"authorization": "Bearer"},
        bearer("caller:alice"),
    ],
    ids=["none", "wrong", "basic", "empty", "name"],
)
@pytest.mark.parametrize("tool", ["get_orders", "preview_order"])
async def test_without_a_callers_token_nothing_answers_but_health(
    tmp_path: Path, era: Era, headers: dict[str, str], tool: str
) -> None:
    body = INITIALIZE if era == "legacy" else modern("tools/call", name=tool, arguments={})
    sent = headers | (ACCEPT if era == "legacy" else modern_headers("tools/call", tool))
    async with site(tmp_path, "alice", STATE_KEYS=STATE_KEY) as here, http_client(here.url) as client:
        for method in ("POST", "GET", "DELETE"):
            answer = await client.request(method, "/mcp", headers=sent, json=body)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert "alice" not in answer.text
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        assert (await client.get("/readyz")).json() == {"ledger": "ok"}
    assert not here.sandbox.books.received


async def test_the_token_in_a_query_or_cookie_lets_nobody_in(tmp_path: Path) -> None:
    async with site(tmp_path, "alice") as here, http_client(here.url) as client:
        token = here.tokens["alice"]
        for path, headers in (
            (f"/mcp?access_token={token}", {}),
            ("/mcp", {"cookie": f"token={token}"}),
            ("/mcp", {"x-api-key": token}),
        ):
            answer = await client.post(path, headers=ACCEPT | headers, json=INITIALIZE)
            assert answer.status_code == 401


async def test_a_ledger_that_is_gone_is_told_by_readyz_and_not_by_healthz(tmp_path: Path) -> None:
    async with site(tmp_path) as here, http_client(here.url) as client:
        assert (await client.get("/readyz")).status_code == 200
        (tmp_path / "ledger.sqlite3").unlink()
        gone = await client.get("/readyz")
        alive = await client.get("/healthz")
    assert (gone.status_code, gone.json()) == (503, {"ledger": "unavailable"})
    assert alive.status_code == 200


async def test_a_ledger_that_hangs_is_told_in_time_and_asked_by_one_alone() -> None:
    asked, thawed = 0, anyio.Event()

    async def hangs() -> None:
        nonlocal asked
        asked += 1
        with anyio.CancelScope(shield=True):  # as a thread does that waits for a database
            await thawed.wait()

    ready = Readiness(hangs, seconds=0.2)
    with anyio.fail_after(5):
        for _ in range(3):
            assert await ready.ledger_is_reachable() is False
        assert asked == 1
        thawed.set()
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        assert await ready.ledger_is_reachable() is True
    assert asked == 2


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example:80"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost:3000"}, 200),
        ({"host": "localhost:1"}, 200),
        ({"host": "127.0.0.1"}, 200),
        ({"host": "localhost", "origin": "http://localhost"}, 200),
        ({"host": "[::1]"}, 200),
        ({"host": "LocalHost:1", "origin": "http://LOCALHOST:1"}, 200),
        ({}, 200),
    ],
)
async def test_on_loopback_a_web_page_of_a_stranger_reaches_nothing(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async with site(tmp_path) as here, http_client(here.url) as client:
        for body, plain in ((INITIALIZE, ACCEPT), (modern("tools/list"), modern_headers("tools/list"))):
            answer = await client.post("/mcp", headers=plain | headers, json=body)
            assert answer.status_code == status, answer.text


@pytest.mark.parametrize("bound_to", ["127.0.0.1", "0.0.0.0"])  # noqa: S104
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "orders.example"}, 200),
        ({"host": "orders.example:8443"}, 200),
        ({"host": "orders.example", "origin": "https://orders.example"}, 200),
        ({"host": "localhost:1"}, 200),
        ({"host": "orders.example", "origin": "http://orders.example"}, 403),
        ({"host": "orders.example", "origin": "https://evil.example"}, 403),
        ({"host": "orders.example.evil.example"}, 421),
        ({"host": "evil.example", "origin": "https://evil.example"}, 421),
    ],
)
async def test_where_the_public_url_is_known_its_host_is_answered_and_no_other(
    tmp_path: Path, bound_to: str, headers: dict[str, str], status: int
) -> None:
    public = "https://orders.example/mcp"
    async with (
        site(tmp_path, bound_to=bound_to, OAUTH_AUDIENCE=public) as here,
        http_client(here.url) as client,
    ):
        plain = modern_headers("tools/list") | headers
        answer = await client.post("/mcp", headers=plain, json=modern("tools/list"))
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("public", "host", "origin"),
    [
        ("https://Orders.Example/mcp", "orders.example", "https://orders.example"),
        ("https://orders.example:443/mcp", "orders.example", "https://orders.example"),
        ("https://orders.example/mcp", "Orders.Example:443", "https://Orders.Example"),
        ("https://orders.example:8443/mcp", "orders.example:8443", "https://orders.example:8443"),
        ("http://[::1]:80/mcp", "[::1]", "http://[::1]"),
    ],
)
async def test_a_host_is_the_same_however_the_public_url_or_a_client_spells_it(
    tmp_path: Path, public: str, host: str, origin: str
) -> None:
    async with (
        site(tmp_path, bound_to="0.0.0.0", OAUTH_AUDIENCE=public) as here,  # noqa: S104
        http_client(here.url) as client,
    ):
        for headers in ({"host": host}, {"host": host, "origin": origin}):
            plain = modern_headers("tools/list") | headers
            answer = await client.post("/mcp", headers=plain, json=modern("tools/list"))
            assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "anything.example"}, 200),
        ({"host": "anything.example:8000", "origin": "https://anything.example:8000"}, 200),
        ({"host": "anything.example", "origin": "https://evil.example"}, 403),
        ({"host": "anything.example", "origin": "null"}, 403),
        ({"host": "anything.example", "origin": ""}, 403),
    ],
)
async def test_where_others_can_reach_it_and_no_public_url_is_known_foreign_pages_reach_nothing(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async with site(tmp_path, bound_to="0.0.0.0") as here, http_client(here.url) as client:  # noqa: S104
        plain = modern_headers("tools/list") | headers
        answer = await client.post("/mcp", headers=plain, json=modern("tools/list"))
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize("counted", [True, False], ids=["length", "chunks"])
async def test_a_body_over_the_limit_is_refused(tmp_path: Path, counted: bool) -> None:
    body = json.dumps(modern("tools/list", filler="x" * MOST_BODY_BYTES)).encode()

    async def chunks() -> AsyncGenerator[bytes]:
        for first in range(0, len(body), 10_000):
            yield body[first : first + 10_000]

    async with site(tmp_path) as here, http_client(here.url) as client:
        content = body if counted else chunks()
        answer = await client.post("/mcp", headers=modern_headers("tools/list"), content=content)
        assert answer.status_code == 413
        assert (await client.get("/healthz")).status_code == 200


async def test_beyond_so_many_calls_at_a_time_one_is_told_to_come_back_and_health_is_not(
    tmp_path: Path,
) -> None:
    sandbox = build_sandbox()
    sandbox.faults.add("hang", "preview", times=None)
    body = modern("tools/call", name="preview_order", arguments=order_arguments())
    headers = modern_headers("tools/call", "preview_order")
    statuses: list[int] = []

    listing, listed = modern("tools/list"), modern_headers("tools/list")
    async with (
        site(tmp_path, sandbox=sandbox, TIMEOUT_SECONDS="50") as here,
        http_client(here.url) as client,
    ):

        async def hanging() -> None:
            statuses.append((await client.post("/mcp", headers=headers, json=body)).status_code)

        tasks = [asyncio.create_task(hanging()) for _ in range(MOST_CALLS)]
        while sandbox.books.received["preview"] < MOST_CALLS:
            assert not statuses
            await anyio.sleep(0.02)
        busy = await client.post("/mcp", headers=listed, json=listing)
        healthy = await client.get("/healthz")
        ready = await client.get("/readyz")
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        with anyio.fail_after(10):  # those who went away have given their places back
            while (await client.post("/mcp", headers=listed, json=listing)).status_code != 200:  # noqa: ASYNC110 - uvicorn's doing
                await anyio.sleep(0.02)
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
    assert (healthy.status_code, ready.status_code) == (200, 200)


@asynccontextmanager
async def slow_bodies(url: str, count: int, token: str | None = None) -> AsyncGenerator[list[StreamReader]]:
    """So many calls whose bodies have begun and do not go on."""
    opened = [await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2])) for _ in range(count)]
    headers = ACCEPT | {"host": "127.0.0.1", "content-length": "1000"} | bearer(token)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    try:
        for _, writer in opened:
            writer.write(f"POST /mcp HTTP/1.1\r\n{head}\r\n{{".encode())
            await writer.drain()
        yield [reader for reader, _ in opened]
    finally:
        for _, writer in opened:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def test_one_caller_takes_its_share_of_the_places_and_the_others_have_theirs(tmp_path: Path) -> None:
    listing, headers = modern("tools/list"), modern_headers("tools/list")
    async with (
        site(tmp_path, "alice", "bob", STATE_KEYS=STATE_KEY) as here,
        http_client(here.url) as client,
        slow_bodies(here.url, MOST_CALLS, here.tokens["bob"]) as refused,
    ):
        # Those over his share are told so, though their bodies have not come.
        answered = [await reader.readline() for reader in refused[MOST_CALLS_OF_ONE:]]
        alice, bob = [
            await client.post("/mcp", headers=headers | bearer(here.tokens[name]), json=listing)
            for name in ("alice", "bob")
        ]
    assert {line.split()[1] for line in answered} == {b"503"}
    assert alice.status_code == 200
    assert (bob.status_code, bob.headers["retry-after"]) == (503, "1")


async def test_strangers_take_no_places(tmp_path: Path) -> None:
    async with (
        site(tmp_path, "alice", STATE_KEYS=STATE_KEY) as here,
        http_client(here.url) as client,
        slow_bodies(here.url, MOST_CALLS, "xc_wrong") as strangers,
    ):
        answered = [await reader.readline() for reader in strangers]
        headers = modern_headers("tools/list") | bearer(here.tokens["alice"])
        alice = await client.post("/mcp", headers=headers, json=modern("tools/list"))
    assert {line.split()[1] for line in answered} == {b"401"}
    assert alice.status_code == 200


@KEYS
async def test_a_body_that_does_not_come_gives_its_place_back(
    tmp_path: Path, keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.5)
    async with (
        site(tmp_path, STATE_KEYS=keys) as here,
        http_client(here.url) as client,
        slow_bodies(here.url, MOST_CALLS) as slow,
    ):
        answers = [await reader.read() for reader in slow]  # to the end: the connection is closed
        answer = await client.post("/mcp", headers=modern_headers("tools/list"), json=modern("tools/list"))
    assert {said.split()[1] for said in answers} == {b"408"}
    assert answer.status_code == 200


@KEYS
async def test_nobody_can_hold_a_place_by_listening_for_changes_that_never_come(
    tmp_path: Path, keys: str
) -> None:
    listen = modern("subscriptions/listen", notifications={"toolsListChanged": True})
    async with site(tmp_path, STATE_KEYS=keys) as here, http_client(here.url) as client:
        with anyio.fail_after(10):
            answer = await client.post("/mcp", headers=modern_headers("subscriptions/listen"), json=listen)
        headers = modern_headers("server/discover")
        found = await client.post("/mcp", headers=headers, json=modern("server/discover"))
    assert answer.json()["error"]["code"] == METHOD_NOT_FOUND
    capabilities = found.json()["result"]["capabilities"]
    assert {"tools", "prompts", "resources"} <= capabilities.keys()
    for capability in capabilities.values():
        assert not capability.get("listChanged")
        assert not capability.get("subscribe")


async def test_answers_are_json_where_no_session_is_kept(tmp_path: Path) -> None:
    async with site(tmp_path, STATE_KEYS=STATE_KEY) as here, http_client(here.url) as client:
        for body, headers in (
            (INITIALIZE, ACCEPT),
            (modern("tools/list"), modern_headers("tools/list")),
            (
                modern("tools/call", name="get_orders", arguments={}),
                modern_headers("tools/call", "get_orders"),
            ),
        ):
            for accept in (ACCEPT["accept"], "application/json"):
                answer = await client.post("/mcp", headers=headers | {"accept": accept}, json=body)
                assert answer.status_code == 200, answer.text
                assert answer.headers["content-type"].startswith("application/json")
                assert answer.json()["result"]
                assert "mcp-session-id" not in answer.headers


# Connections, streams and sessions


@asynccontextmanager
async def connections(url: str, count: int, sent: bytes = b"") -> AsyncGenerator[list[StreamReader]]:
    """So many connections that have sent this much."""
    opened = [await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2])) for _ in range(count)]
    try:
        for _, writer in opened:
            writer.write(sent)
            await writer.drain()
        yield [reader for reader, _ in opened]
    finally:
        for _, writer in opened:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (b"", 0),
        (b"POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ", 0),
        (b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\nGET /healthz HTTP/1.1\r\nhost: ", 1),
    ],
    ids=["nothing", "half a request", "half of a second one"],
)
async def test_a_connection_whose_headers_do_not_come_is_closed(
    tmp_path: Path, sent: bytes, answered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connections, "HEADER_SECONDS", 0.5)
    async with site(tmp_path) as here, connections(here.url, 3, sent) as slow:
        with anyio.fail_after(10):
            answers = [await reader.read() for reader in slow]  # to the end: the connection is closed
        assert [said.count(b"200 OK") for said in answers] == [answered] * 3
        async with http_client(here.url) as client:
            assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize("path", ["/mcp", "/enter", "/yes"])
async def test_a_stranger_whose_body_drips_keeps_no_connection(
    tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(http_connections, "BODY_SECONDS", 0.5)
    async with site(tmp_path, "alice") as here:
        place = here.url.removeprefix("http://")
        head = f"POST {path} HTTP/1.1\r\nhost: {place}\r\norigin: {here.url}\r\ncontent-length: 9000\r\n\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", int(here.url.rpartition(":")[2]))
        ended = asyncio.create_task(reader.read())
        writer.write(head.encode())
        with anyio.fail_after(10):
            while not ended.done():
                with contextlib.suppress(OSError):
                    writer.write(b"x")
                    await writer.drain()
                await asyncio.wait([ended], timeout=0.05)
        writer.close()
        async with http_client(here.url) as client:
            assert (await client.get("/healthz")).status_code == 200
    assert "Traceback" not in caplog.text


async def test_headers_that_drip_do_not_move_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connections, "HEADER_SECONDS", 0.5)
    async with site(tmp_path) as here:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(here.url.rpartition(":")[2]))
        ended = asyncio.create_task(reader.read())
        writer.write(b"GET /healthz HTTP/1.1\r\n")
        with anyio.fail_after(10):
            while not ended.done():
                with contextlib.suppress(OSError):
                    writer.write(b"x: y\r\n")
                    await writer.drain()
                await asyncio.wait([ended], timeout=0.05)
        writer.close()


async def test_a_call_that_takes_longer_than_headers_may_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connections, "HEADER_SECONDS", 0.3)
    sandbox = build_sandbox(pace=Pace(slow_seconds=1))
    sandbox.faults.add("slow", "preview")
    async with site(tmp_path, sandbox=sandbox) as here, client_of(here.url) as client:
        assert (await previewed(client))["preview_token"]


async def test_beyond_so_many_connections_one_is_turned_away_until_another_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connections, "MOST_CONNECTIONS", 20)
    half = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n"
    async with site(tmp_path) as here:
        async with connections(here.url, 20, half), connections(here.url, 1) as one_more:
            assert (await one_more[0].read()).startswith(b"HTTP/1.1 503 ")
        with anyio.fail_after(10):
            async with http_client(here.url) as client:
                while (await client.get("/healthz")).status_code != 200:  # noqa: ASYNC110 - uvicorn's doing
                    await anyio.sleep(0.02)


async def opened_session(client: httpx.AsyncClient, token: str | None = None) -> httpx.Response:
    return await client.post("/mcp", headers=ACCEPT | bearer(token), json=INITIALIZE)


async def test_streams_count_against_a_callers_share_and_the_others_have_theirs(tmp_path: Path) -> None:
    async with site(tmp_path, "alice", "bob") as here, http_client(here.url) as client:
        async with contextlib.AsyncExitStack() as streams:
            for _ in range(MOST_CALLS_OF_ONE):
                opened = await opened_session(client, here.tokens["bob"])
                session = {"mcp-session-id": opened.headers["mcp-session-id"]}
                headers = {"accept": "text/event-stream"} | session | bearer(here.tokens["bob"])
                stream = await streams.enter_async_context(client.stream("GET", "/mcp", headers=headers))
                assert stream.status_code == 200
            refused = await opened_session(client, here.tokens["bob"])
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert (await opened_session(client, here.tokens["alice"])).status_code == 200
        with anyio.fail_after(10):  # streams that have ended give their places back
            while (await opened_session(client, here.tokens["bob"])).status_code != 200:  # noqa: ASYNC110 - uvicorn's doing
                await anyio.sleep(0.02)


@pytest.mark.parametrize("names", [(), ("alice", "bob")], ids=["local", "callers"])
async def test_a_caller_has_so_many_sessions_and_one_that_ends_makes_room(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    async with site(tmp_path, *names) as here, http_client(here.url) as client:
        token = here.tokens.get("alice")
        opened = [await opened_session(client, token) for _ in range(MOST_SESSIONS_OF_ONE)]
        assert {answer.status_code for answer in opened} == {200}
        assert (await opened_session(client, token)).status_code == 503
        listing = await client.post(
            "/mcp", headers=modern_headers("tools/list") | bearer(token), json=modern("tools/list")
        )
        assert listing.status_code == 200  # the newer protocol has none
        if names:
            assert (await opened_session(client, here.tokens["bob"])).status_code == 200
        session = {"mcp-session-id": opened[7].headers["mcp-session-id"]}
        ended = await client.delete("/mcp", headers=ACCEPT | bearer(token) | session)
        assert ended.status_code == 200
        assert (await opened_session(client, token)).status_code == 200


async def test_sessions_that_are_idle_end_and_make_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "SESSION_IDLE_SECONDS", 0.5)
    monkeypatch.setattr(limits, "MOST_SESSIONS_OF_ONE", 1)
    async with site(tmp_path) as here, http_client(here.url) as client:
        first = await opened_session(client)
        assert (await opened_session(client)).status_code == 503
        with anyio.fail_after(10):
            while (await opened_session(client)).status_code != 200:  # noqa: ASYNC110 - the SDK's doing
                await anyio.sleep(0.02)
        session = {"mcp-session-id": first.headers["mcp-session-id"]}
        ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
        assert (await client.post("/mcp", headers=ACCEPT | session, json=ping)).status_code == 404


async def test_without_sessions_none_are_counted(tmp_path: Path) -> None:
    async with site(tmp_path, STATE_KEYS=STATE_KEY) as here, http_client(here.url) as client:
        for _ in range(MOST_SESSIONS_OF_ONE + 1):
            opened = await opened_session(client)
            assert opened.status_code == 200
            assert "mcp-session-id" not in opened.headers


async def test_the_limits_hold_in_the_program_itself(tmp_path: Path) -> None:
    environment = {"XPORTCN_LEDGER": str(tmp_path / "ledger.sqlite3")}
    with anyio.fail_after(60):
        async with processes(environment, tmp_path, 1) as (process,):
            count = http_connections.MOST_CONNECTIONS
            async with connections(process.url, count), connections(process.url, 1) as one_more:
                assert (await one_more[0].read()).startswith(b"HTTP/1.1 503 ")


# The command


def refused(folder: Path, *arguments: str, **environment: str) -> str:
    """What `serve --http` said when it refused to start."""
    named = environ_of(**{"LEDGER": str(folder / "ledger.sqlite3")} | environment)
    done = ran(xportcn_mcp("serve", "--http", *arguments), folder, process_environment(named))
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])  # noqa: S104 - refused
def test_a_server_that_others_can_reach_does_not_start_without_callers(tmp_path: Path, host: str) -> None:
    with pytest.raises(StartError) as stop:
        serve_over_http(settings_for(tmp_path / "ledger.sqlite3"), host, 0)
    assert host in str(stop.value)
    assert "XPORTCN_CALLERS" in str(stop.value)


def test_the_command_says_why_it_does_not_start_in_one_line(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    for line in (refused(tmp_path, "--host", "0.0.0.0"), refused(tmp_path, CALLERS=str(missing))):  # noqa: S104
        assert line.startswith("xportcn-mcp: ")
        assert "XPORTCN_CALLERS" in line


def test_a_port_that_is_taken_is_answered_with_what_to_do(tmp_path: Path) -> None:
    named = environ_of(LEDGER=str(tmp_path / "ledger.sqlite3"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = ran(xportcn_mcp("serve", "--http", "--port", port), tmp_path, process_environment(named))
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].endswith("that are free with --host and --port")


@pytest.mark.parametrize("option", ["--port", "--host"])
def test_an_address_without_http_is_refused_and_not_ignored(tmp_path: Path, option: str) -> None:
    named = environ_of(LEDGER=str(tmp_path / "ledger.sqlite3"))
    done = ran(xportcn_mcp("serve", option, "9"), tmp_path, process_environment(named))
    assert (done.returncode, done.stdout) == (2, "")
    assert "--host and --port are for --http" in done.stderr


def test_an_issuer_without_an_audience_stops_the_start(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "ledger.sqlite3", OAUTH_ISSUER="https://issuer.example")
    with pytest.raises(StartError, match="XPORTCN_OAUTH_AUDIENCE"):
        serve_over_http(settings, "127.0.0.1", 0)


@pytest.mark.parametrize("password", ["S3cret%zzRest", "x@S3cret"])
async def test_no_part_of_a_databases_password_is_in_the_log(
    tmp_path: Path, password: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"postgresql://xportcn:{password}@127.0.0.1:1/xportcn"  # which the settings would refuse
    settings = settings_for(tmp_path / "unused").model_copy(update={"ledger": url})
    ledger = ledger_of(settings)
    with pytest.raises(LedgerUnavailableError) as told:
        await ledger.open()
    await ledger.aclose()
    assert "S3cret" not in caplog.text + str(told.value)


@pytest.mark.parametrize("era", ERAS)
async def test_at_the_most_talkative_the_log_holds_no_token_no_code_and_no_address(
    tmp_path: Path, era: Era
) -> None:
    tokens = made_callers(tmp_path / "callers.toml", "alice")
    named = {"LEDGER": tmp_path / "l.sqlite3", "LOG_LEVEL": "DEBUG", "CALLERS": tmp_path / "callers.toml"}
    environment = {f"XPORTCN_{name}": str(value) for name, value in named.items()}
    with anyio.fail_after(90):
        async with processes(environment, tmp_path, 1) as (process,):
            async with client_of(process.url, tokens["alice"], era) as client:
                preview = await previewed(client)
                await call(client, "create_order", preview["create_order_arguments"])
            log = process.log.read_text(encoding="utf-8")
    assert "DEBUG" in log
    for secret in (tokens["alice"], preview["preview_token"], preview["approval_code"], ADDRESS["mobile"]):
        assert secret not in log


async def no_longer_listening(port: int) -> None:
    """Wait until a server has begun to end."""
    with contextlib.suppress(OSError):
        while True:
            async with await anyio.connect_tcp("127.0.0.1", port):
                await anyio.sleep(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a process can catch")
@pytest.mark.parametrize(
    ("numbers", "keys"),
    [([signal.SIGTERM], STATE_KEY), ([signal.SIGINT], ""), ([signal.SIGINT, signal.SIGINT], STATE_KEY)],
    ids=["SIGTERM", "SIGINT", "SIGINT twice"],
)
async def test_a_server_told_to_end_finishes_and_records_the_create_under_way(
    tmp_path: Path, numbers: list[signal.Signals], keys: str
) -> None:
    sandbox = build_sandbox(pace=Pace(slow_seconds=1.5))
    answers: list[dict[str, Any]] = []
    with anyio.fail_after(90):
        async with running_sandbox(sandbox) as (_, base_url):
            named = live(base_url) | {"LEDGER": str(tmp_path / "ledger.sqlite3"), "APPROVAL": "ask"}
            named |= {"STATE_KEYS": keys} if keys else {}
            environment = environ_of(**named)
            async with processes(environment, tmp_path, 1) as (process,):
                async with client_of(process.url) as client, anyio.create_task_group() as tasks:
                    preview = await previewed(client)
                    sandbox.faults.add("slow", "create")

                    async def create() -> None:
                        answers.append(await call(client, "create_order", preview["create_order_arguments"]))

                    tasks.start_soon(create)
                    while not sandbox.books.received["create"]:  # noqa: ASYNC110 - another process' doing
                        await anyio.sleep(0.02)
                    for number in numbers:
                        process.popen.send_signal(number)
                        await no_longer_listening(process.port)  # two signals at once would be one
                status = await process.ended()
    assert status == 0, process.log.read_text()
    log = process.log.read_text()
    assert "Traceback" not in log
    (answer,) = answers
    assert answer["order"]["state"] == "placed"
    # At the usual level WARNING: where it listens, and what became of the order.
    (start,) = [line for line in log.splitlines() if "listening on" in line]
    assert start.endswith(f"listening on {process.url}/mcp")
    order = answer["order"]
    (outcome,) = [line for line in log.splitlines() if order["out_order_id"] in line]
    assert f"order {order['out_order_id']}: placed, order ids {order['order_ids'][0]}" in outcome
    assert not any(said in log for said in ("王小明", "13800138000", "网商路"))
    settings = settings_for(tmp_path / "ledger.sqlite3", **live(base_url))
    ledger = ledger_of(settings)
    (order,) = await ledger.orders(OrderQuery(None))
    await ledger.aclose()
    assert (order.state, list(order.order_ids)) == ("placed", answer["order"]["order_ids"])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a process can catch")
@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_just_stays_connected_does_not_keep_a_server_from_ending(
    tmp_path: Path, era: Era
) -> None:
    environment = {"XPORTCN_LEDGER": str(tmp_path / "ledger.sqlite3")}
    with anyio.fail_after(90):
        async with (
            processes(environment, tmp_path, 1) as (process,),
            client_of(process.url, era=era, person=Person()) as client,
        ):
            await previewed(client)
            process.terminate()
            with anyio.fail_after(15):
                assert await process.ended() == 0, process.log.read_text()

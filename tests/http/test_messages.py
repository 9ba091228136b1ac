"""The vendor's messages: hints that an order has changed, each of which is checked by reading the order."""

import json
import logging
import re
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from harness.clock import Clock
from harness.house import address_of, call, previewed, text_of
from harness.nginx_server import round_robin
from harness.over_http import client_of, http_client, made_callers, serving
from harness.processes import processes
from harness.settings import environ_of, settings_for
from xportcn_server.app import Seams, ledger_of
from xportcn_server.commands.cli import main
from xportcn_server.http import messages_endpoint
from xportcn_server.http.messages_endpoint import MOST_BODY_BYTES
from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_tools.desk import hints
from xportcn_tools.upstream.clean import seen
from xportcn_tools.upstream.vendor_message import read_message

pytestmark = pytest.mark.anyio

SECRET = "planted-secret_0123456789.~"
OTHER = address_of(7)
PRICE_CHANGED = "ORDER_BUYER_VIEW_ORDER_PRICE_MODIFY"


def message(order_id: object, event: str = PRICE_CHANGED, **inner: Any) -> dict[str, Any]:
    """As the vendor's page has it: the inner body is JSON in a string."""
    body = {"orderId": order_id, "orderStatus": "waitbuyerpay", "totalAmount": 1} | inner
    return {
        "messageType": event,
        "messageBody": json.dumps(body),
        "messagePlatform": 1,
        "timestamp": "1773014400000",
    }


@dataclass
class Shop:
    """A server in this loop that takes messages, with one placed order."""

    http: httpx.AsyncClient
    client: Any
    sandbox: Sandbox
    clock: Clock
    ledger: Path
    order: dict[str, Any]

    @property
    def order_id(self) -> str:
        return self.order["order_ids"][0]

    @property
    def reads(self) -> int:
        return self.sandbox.books.received["details"]

    async def post(self, content: Any, path: str = f"/messages/{SECRET}") -> int:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return (await self.http.post(path, content=body)).status_code

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await anyio.lowlevel.checkpoint()

    async def listed(self) -> str:
        return text_of(await self.client.call_tool("get_orders", {}))

    async def terminal(self, *words: str) -> str:
        env = environ_of(LEDGER=str(self.ledger))

        def run() -> str:
            done = CliRunner().invoke(main, list(words), env=env, catch_exceptions=False)
            assert done.exit_code == 0, done.output
            return done.stdout

        return await anyio.to_thread.run_sync(run)

    async def until_shown(self, words: str, order_id: str = "") -> None:
        while words not in await self.terminal("orders", "show", order_id or self.order_id):
            pass


@asynccontextmanager
async def shop(folder: Path, **changes: str) -> AsyncGenerator[Shop]:
    """Its order belongs to the caller alice, whom a message does not name."""
    clock = Clock()
    callers = folder / "callers.toml"
    (token,) = made_callers(callers, "alice").values()
    named = {"MESSAGES_SECRET": SECRET, "ORDER_LOOKUP": "on", "CALLERS": str(callers)} | changes
    settings = settings_for(
        folder / "ledger.sqlite3", **{name: value for name, value in named.items() if value}
    )
    sandbox = build_sandbox(clock=clock)
    with anyio.fail_after(60):
        async with (
            serving(settings, Seams(sandbox=sandbox, clock=clock), ledger_of(settings, clock)) as url,
            http_client(url) as http,
            client_of(url, token) as client,
        ):
            arguments = (await previewed(client))["create_order_arguments"]
            order = (await call(client, "create_order", arguments))["order"]
            yield Shop(http, client, sandbox, clock, folder / "ledger.sqlite3", order)


async def test_a_changed_price_ends_as_a_warning_in_log_list_and_terminal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with shop(tmp_path) as here:
        approved = here.order["payable"]["amount"]
        here.sandbox.books.move(here.order_id, payable_fen=5_998)
        with caplog.at_level(logging.WARNING):
            assert await here.post(message(here.order_id)) == 200
            await here.until(lambda: "now 59.98" in caplog.text)
        difference = f"total approved {approved}, now 59.98"
        assert f"order {here.order['out_order_id']}: {difference}" in caplog.text
        assert f"total: approved {approved}, now 59.98" in (await here.listed()).splitlines()[0]
        assert (
            f"total: approved {approved}, now 59.98"
            in (await here.terminal("orders", "list")).splitlines()[0]
        )
        shown = await here.terminal("orders", "show", here.order_id)
        assert shown.startswith("WARNING: ")
        assert f"2026-03-09 20:00:00 CST  {PRICE_CHANGED} 「" in shown
        assert "(not believed)" in shown
        assert here.reads == 1


async def test_what_a_message_says_is_not_believed(tmp_path: Path) -> None:
    async with shop(tmp_path) as here:
        lie = message(here.order_id, "ORDER_CANCEL", orderStatus="cancel", totalAmount=1)
        assert await here.post(lie) == 200
        await here.until(lambda: here.reads == 1)
        text = await here.listed()
        while "Upstream, read" not in text:
            text = await here.listed()
        assert "not paid yet" in text
        assert "WARNING" not in text
        assert "closed" not in text


async def test_an_order_is_read_once_a_minute_and_a_later_message_is_not_lost(tmp_path: Path) -> None:
    async with shop(tmp_path) as here:
        arguments = (await previewed(here.client, quantity=3, address=OTHER))["create_order_arguments"]
        other = (await call(here.client, "create_order", arguments))["order"]["order_ids"][0]
        assert await here.post(message(here.order_id)) == 200
        await here.until(lambda: here.reads == 1)
        for _ in range(20):
            assert await here.post(message(here.order_id)) == 200
        assert await here.post(message(other)) == 200
        await here.until(lambda: here.reads == 2)  # the other's; the first one's minute is not over
        here.clock.advance(61)
        assert await here.post(message(other)) == 200  # wakes what waits
        await here.until(lambda: here.reads == 4)
        assert (await here.terminal("orders", "show", here.order_id)).count(
            PRICE_CHANGED
        ) == 10  # the newest alone


async def test_all_orders_together_are_read_so_many_times_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "READS_PER_MINUTE", 1)
    async with shop(tmp_path) as here:
        arguments = (await previewed(here.client, quantity=3, address=OTHER))["create_order_arguments"]
        other = (await call(here.client, "create_order", arguments))["order"]["order_ids"][0]
        assert await here.post(message(here.order_id)) == 200
        await here.until(lambda: here.reads == 1)
        assert await here.post(message(other)) == 200
        await here.until_shown(PRICE_CHANGED, other)
        assert here.reads == 1
        here.clock.advance(61)
        assert await here.post(message(other)) == 200
        await here.until(lambda: here.reads == 2)


async def test_a_message_of_no_order_of_this_ledger_reads_nothing(tmp_path: Path) -> None:
    async with shop(tmp_path) as here:
        stranger = str(int(here.order_id) + 1)
        assert await here.post(message(stranger)) == 200
        assert await here.post(message(here.order["out_order_id"])) == 200  # our number is no order id
        assert await here.post(message(int(here.order_id))) == 200
        await here.until(lambda: here.reads == 1)
        assert PRICE_CHANGED in (await here.terminal("orders", "show", here.order_id))


async def test_without_the_look_up_a_message_is_kept_and_nothing_is_read(tmp_path: Path) -> None:
    async with shop(tmp_path, ORDER_LOOKUP="") as here:
        assert await here.post(message(here.order_id)) == 200
        await here.until_shown(PRICE_CHANGED)
        assert here.reads == 0


async def test_a_message_is_answered_while_the_upstream_hangs(tmp_path: Path) -> None:
    async with shop(tmp_path, TIMEOUT_SECONDS="50") as here:
        here.sandbox.faults.add("hang", "details", times=None)
        for _ in range(3):
            began = time.monotonic()
            assert await here.post(message(here.order_id)) == 200
            assert time.monotonic() - began < 1


async def test_another_secret_is_a_path_that_does_not_exist_as_where_none_is_set(tmp_path: Path) -> None:
    for folder, secret in ((tmp_path / "set", SECRET), (tmp_path / "unset", "")):
        folder.mkdir()
        async with shop(folder, MESSAGES_SECRET=secret) as here:
            answers = [
                await here.http.post(path, content=b"{}")
                for path in (f"/messages/{SECRET}x", f"/messages/{SECRET[:-1]}", "/messages/", "/messages/é")
            ]
            answers += [await here.http.get(f"/messages/{SECRET}")]
            answers += [await here.http.post(f"/messages/{SECRET}/", content=b"{}")]
            assert {(each.status_code, each.content) for each in answers} == {(404, b"Not Found")}
            if not secret:
                assert await here.post(message(here.order_id)) == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"[" * 30_000,
        b'{"messageBody": "' + b"[" * 30_000 + b'"}',
        b'{"messageBody": {"orderId": ' + b"9" * 30_000 + b"}}",
        b'{"messageBody": {"orderId": true}, "timestamp": 1e400}',
        b'{"messageType": {"a": 1}, "messageBody": [1]}',
    ],
)
async def test_what_is_no_message_is_answered_and_does_nothing(tmp_path: Path, body: bytes) -> None:
    async with shop(tmp_path) as here:
        assert await here.post(body) == 200
        assert await here.post(message(here.order_id)) == 200
        await here.until(lambda: here.reads == 1)


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(
        lambda value: json.dumps(
            {"messageType": value, "messageBody": {"orderId": "1" * 19, "x": value}, "timestamp": value}
        ).encode()
    )
)
def test_no_body_makes_the_reader_fail_and_what_it_keeps_is_short_and_clean(body: bytes) -> None:
    found = read_message(body, Clock()())
    if found:
        assert re.fullmatch(r"[A-Z0-9_]{1,64}|of no known type", found.message.event)
        assert len(found.message.text) <= 300
        assert seen(found.message.text)[1] == []


async def test_a_body_that_is_too_large_or_too_slow_is_turned_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shop(tmp_path) as here:
        assert await here.post(b" " * MOST_BODY_BYTES) == 200
        assert await here.post(b" " * (MOST_BODY_BYTES + 1)) == 413
        monkeypatch.setattr(messages_endpoint, "BODY_SECONDS", 0.05)

        port = here.http.base_url.port or 0
        head = f"POST /messages/{SECRET} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{{"
        async with await anyio.connect_tcp("127.0.0.1", port) as slow:
            await slow.send(head.encode())
            assert (await slow.receive()).startswith(b"HTTP/1.1 413")


async def test_what_finds_no_room_is_to_be_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shop(tmp_path) as here:
        monkeypatch.setattr(hints, "MOST_WAITING", 0)
        assert await here.post(message(here.order_id)) == 503
        assert here.reads == 0


async def test_what_is_forgotten_is_forgotten_in_messages_too(tmp_path: Path) -> None:
    async with shop(tmp_path) as here:
        assert await here.post(message(here.order_id, receiver="Planted Person")) == 200
        await here.until_shown("Planted Person")
        await here.terminal("forget", here.order["out_order_id"])
        assert await here.post(message(here.order_id, receiver="Planted Person")) == 200
        await here.until_shown(PRICE_CHANGED)
        assert "Planted Person" not in (await here.terminal("orders", "show", here.order_id))
        assert "Planted Person" not in (await here.terminal("audit", "export"))


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
async def test_the_secret_is_in_no_log(tmp_path: Path, level: str) -> None:
    named = {"LEDGER": str(tmp_path / "ledger.sqlite3"), "MESSAGES_SECRET": SECRET, "LOG_LEVEL": level}
    paths = [f"/messages/{SECRET}", f"/messages/{SECRET}?a=1", f"//messages/{SECRET}", f"/messages/{SECRET}x"]
    async with processes(environ_of(**named), tmp_path, 1) as (process,), http_client(process.url) as http:
        answers = [
            (await http.post(f"{process.url}{path}", json=message("1" * 19))).status_code for path in paths
        ]
        assert (answers[:2], 200 in answers[2:]) == ([200, 200], False)
    said = process.log.read_text(encoding="utf-8")
    assert "/healthz" in said
    assert SECRET not in said
    assert "XPORTCN_ORDER_LOOKUP is off" in said


async def test_a_message_comes_through_the_proxy_and_its_secret_is_in_no_log_there(tmp_path: Path) -> None:
    named = {"LEDGER": str(tmp_path / "ledger.sqlite3"), "MESSAGES_SECRET": SECRET}
    async with (
        processes(environ_of(**named), tmp_path, 1) as (process,),
        round_robin(tmp_path, [process.port]) as url,
        http_client(url) as http,
    ):
        path = f"/messages/{SECRET}"
        assert (await http.post(path, json=message("1" * 19))).status_code == 200
        assert (await http.post(path, content=b" " * (MOST_BODY_BYTES + 1))).status_code == 413
        process.kill()
        assert (await http.post(path, json=message("1" * 19))).status_code == 502  # nginx has an error to log
        assert (await http.get("/mcp")).status_code == 502
    said = "".join(path.read_text("utf-8") for path in (tmp_path / "access.log", tmp_path / "nginx.log"))
    assert "GET /mcp" in said
    assert SECRET not in said

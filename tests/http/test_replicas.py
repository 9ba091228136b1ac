"""Three replicas of the installed program, PostgreSQL, and nginx in front, as in `deploy/`, without containers."""

import asyncio
import itertools
import random
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import psycopg
import pytest
from mcp_types import CallToolResult, InputRequiredResult

from harness.house import Person, address_of, order_arguments, previewed, said
from harness.nginx_server import nginx_program, round_robin
from harness.over_http import (
    STATE_KEY,
    bearer,
    client_of,
    made_callers,
    modern,
    modern_headers,
    yes_to,
)
from harness.port_sandbox import running_sandbox
from harness.postgres_server import PostgresServer
from harness.processes import Process, answering, start
from harness.settings import environ_of, live
from harness.trail_check import first_break
from xportcn_server.sandbox.conduct import Pace
from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_tools.ledger.ledger import OrderQuery, OrderRecord
from xportcn_tools.ledger.postgres import PostgresLedger

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="replicas run where nginx and PostgreSQL do"),
]

REPLICAS = 3
Arguments = dict[str, Any]


def unlike(number: int) -> Arguments:
    """A preview's arguments that are nobody's twin: the same goods to the same place wait for one another."""
    return order_arguments(address=address_of(number))


@dataclass
class Team:
    """The replicas, what is before and behind them, and a caller's plain client."""

    url: str
    replicas: list[Process]
    environment: dict[str, str]
    folder: Path
    sandbox: Sandbox
    database: str
    token: str
    http: httpx.AsyncClient

    async def ask(self, tool: str, arguments: Arguments, url: str = "") -> dict[str, Any] | None:
        """The envelope; None where the proxy had no answer to give. Who is told to come back does."""
        while True:
            try:
                answer = await self.http.post(
                    f"{url or self.url}/mcp",
                    headers=modern_headers("tools/call", tool) | bearer(self.token),
                    json=modern("tools/call", name=tool, arguments=arguments),
                )
            except httpx.TransportError:
                return None
            if "retry-after" not in answer.headers:
                break
            await anyio.sleep(float(answer.headers["retry-after"]))
        if answer.status_code != 200:
            assert answer.status_code in (502, 503, 504), answer.text
            return None
        return answer.json()["result"]["structuredContent"]

    async def create(self, arguments: Arguments, url: str = "") -> tuple[str, ...]:
        envelope = await self.ask("create_order", arguments, url)
        return said(envelope) if envelope else ("no answer",)

    async def previews(self, count: int) -> list[Arguments]:
        """What `create_order` takes, for so many previews."""
        made: list[Arguments] = []
        for number in range(count):
            envelope = await self.ask("preview_order", unlike(number))
            assert envelope
            assert envelope["ok"], envelope["problem"]
            made.append(envelope["preview"]["create_order_arguments"])
        return made

    async def orders(self) -> list[OrderRecord]:
        """All that the ledger holds; its trail is whole."""
        ledger = PostgresLedger(self.database, "real")
        try:
            assert first_break(await ledger.trail()) is None
            return await ledger.orders(OrderQuery(None))
        finally:
            await ledger.aclose()

    def assert_true(self, orders: list[OrderRecord]) -> None:
        """Nothing twice, and no word of the ledger against the upstream's books."""
        books = self.sandbox.books
        assert max(books.creates_of.values(), default=0) <= 1
        assert {order.out_order_id for order in books.orders} <= {order.out_order_id for order in orders}
        for order in orders:
            ids = tuple(number for made in books.orders_of(order.out_order_id) for number in made.order_ids)
            if order.state == "placed":
                assert order.order_ids == ids
            if order.state in ("rejected", "absent"):
                assert ids == ()


@asynccontextmanager
async def team(
    folder: Path,
    postgres: PostgresServer,
    *,
    pace: Pace = Pace(),  # noqa: B008 - frozen
    count: int = REPLICAS,
    keys: list[str] | None = None,
    **changes: str,
) -> AsyncGenerator[Team]:
    nginx_program()
    database = postgres.new_database()
    tokens = made_callers(folder / "callers.toml", "alice", alice="previews_per_minute = 10000")
    with anyio.fail_after(180):
        async with running_sandbox(build_sandbox(pace=pace)) as (sandbox, base_url):
            named = live(base_url) | {
                "LEDGER": database,
                "CALLERS": str(folder / "callers.toml"),
                "STATE_KEYS": STATE_KEY,
                "MAX_DAY_CNY": "1000000",
                "MAX_DAY_ORDERS": "10000",
                "RECHECK_AFTER_SECONDS": "600",
                "APPROVAL": "off",
            }
            environment = environ_of(**named | changes)
            replicas = [
                start(environment | ({"XPORTCN_STATE_KEYS": keys[number]} if keys else {}), folder)
                for number in range(count)
            ]
            try:
                for replica in replicas:
                    await answering(replica)
                limits = httpx.Limits(max_connections=None)
                async with (
                    round_robin(folder, [replica.port for replica in replicas]) as url,
                    httpx.AsyncClient(timeout=60, limits=limits, trust_env=False) as http,
                ):
                    yield Team(url, replicas, environment, folder, sandbox, database, tokens["alice"], http)
            finally:
                for replica in replicas:
                    replica.kill()


async def test_three_hundred_creates_of_thirty_tokens_at_once_make_thirty_orders(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with team(tmp_path, postgres) as here:
        calls = await here.previews(30) * 10
        random.Random(5).shuffle(calls)

        answers = await asyncio.gather(*(here.create(arguments) for arguments in calls))
        final = {
            arguments["preview_token"]: await here.create(arguments, here.replicas[0].url)
            for arguments in calls[:60]
        }
        orders = await here.orders()
    assert here.sandbox.books.received["create"] == len(here.sandbox.books.orders) == 30
    assert Counter(answer[0] for answer in answers).keys() <= {"placed", "order_in_progress"}
    placed = {answer for answer in answers if answer[0] == "placed"}
    assert len(placed) == 30
    assert set(final.values()) <= placed
    assert [order.state for order in orders] == ["placed"] * 30
    here.assert_true(orders)


async def test_a_replica_killed_while_sending_costs_no_second_order_and_no_lie(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with team(tmp_path, postgres) as here:
        victim, *others = here.replicas
        (arguments,) = await here.previews(1)
        here.sandbox.faults.add("hang", "create")
        lost: list[tuple[str, ...]] = []
        async with anyio.create_task_group() as tasks:

            async def create() -> None:
                lost.append(await here.create(arguments, victim.url))

            tasks.start_soon(create)
            while not here.sandbox.books.received["create"]:  # noqa: ASYNC110 - another process' doing
                await anyio.sleep(0.01)
            victim.kill()
        assert lost == [("no answer",)]
        for other in others:
            assert await here.create(arguments, other.url) == ("order_in_progress",)
        # What the database's clock would bring after 50 s: the lease of the dead is over.
        with psycopg.connect(here.database, autocommit=True) as connection:
            connection.execute("UPDATE orders SET lease_until = created_at")
        for _ in range(4):
            assert await here.create(arguments) == ("outcome_unknown",)
        envelope = await here.ask("get_orders", {})
        orders = await here.orders()
        here.assert_true(orders)
        # Those who are left serve on, without a word from anybody.
        fresh = await here.ask("preview_order", order_arguments(3))
        assert fresh
        assert (await here.create(fresh["preview"]["create_order_arguments"]))[0] == "placed"
    assert envelope
    assert [order["state"] for order in envelope["orders"]] == ["unknown"]
    assert [order.state for order in orders] == ["unknown"]
    assert here.sandbox.books.creates_of[orders[0].out_order_id] == 1


async def test_the_database_restarted_in_the_middle_costs_only_that_it_is_unavailable_for_a_while(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with team(tmp_path, postgres) as here:
        calls = await here.previews(40)
        told: list[tuple[str, ...]] = []
        down, back = anyio.Event(), anyio.Event()

        async def buyer(number: int) -> None:
            for arguments in calls[number::8]:
                envelope = await here.ask("create_order", arguments)
                told.append(said(envelope) if envelope else ("no answer",))
                if envelope and told[-1] == ("ledger_unavailable",):
                    assert envelope["problem"]["request_sent"] == "no"
                if number % 2 and not down.is_set():
                    await down.wait()  # so that there are creates before, during and after

        async def restart() -> None:
            while len(told) < 8:  # noqa: ASYNC110 - another process' doing
                await anyio.sleep(0.01)
            await anyio.to_thread.run_sync(postgres.stop, "immediate")
            down.set()
            for replica in here.replicas:
                assert (await here.http.get(f"{replica.url}/readyz")).status_code == 503
                assert (await here.http.get(f"{replica.url}/healthz")).status_code == 200
            await anyio.to_thread.run_sync(postgres.start)
            back.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(restart)
            for number in range(8):
                tasks.start_soon(buyer, number)
        for replica in here.replicas:
            with anyio.fail_after(30):
                while (await here.http.get(f"{replica.url}/readyz")).status_code != 200:  # noqa: ASYNC110 - another process' doing
                    await anyio.sleep(0.1)
        final = [await here.create(arguments) for arguments in calls]
        orders = await here.orders()
        here.assert_true(orders)
    assert {answer[0] for answer in told} <= {"placed", "ledger_unavailable", "order_in_progress"}
    assert ("ledger_unavailable",) in told
    # A claim whose COMMIT was cut off may be there, unsent: it is in progress until its lease ends.
    assert {answer[0] for answer in final} <= {"placed", "order_in_progress"}
    assert sum(answer[0] == "placed" for answer in final) >= len(calls) - 8
    assert {order.state for order in orders} <= {"placed", "sending"}


async def test_a_form_asked_at_one_replica_is_answered_at_another_while_keys_are_rotated(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    new_key = STATE_KEY[::-1]
    rings = [STATE_KEY, f"{new_key},{STATE_KEY}"]
    person = Person()
    async with team(tmp_path, postgres, count=2, keys=rings, APPROVAL="require") as here:
        first, second = here.replicas
        async with (
            client_of(first.url, here.token, person=person) as at_first,
            client_of(second.url, here.token, person=person) as at_second,
            client_of(here.url, here.token, person=person) as at_both,
        ):
            arguments = (await previewed(at_first))["create_order_arguments"]
            asked = await at_first.session.call_tool("create_order", arguments, allow_input_required=True)
            assert isinstance(asked, InputRequiredResult)
            answered = await at_second.session.call_tool(
                "create_order",
                arguments,
                input_responses=yes_to(asked),
                request_state=asked.request_state,
                allow_input_required=True,
            )
            again = await at_both.call_tool("create_order", arguments)
    for result, replayed in ((answered, False), (again, True)):
        assert isinstance(result, CallToolResult)
        assert result.structured_content
        order = result.structured_content["order"]
        assert order["state"] == "placed"
        assert order["replayed"] is replayed
        assert order["approval"] == {"method": "form", "verified": True}
    assert here.sandbox.books.received["create"] == 1


async def test_a_rolling_restart_under_load_loses_no_call_that_had_been_claimed(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with team(tmp_path, postgres, pace=Pace(slow_seconds=0.3)) as here:
        here.sandbox.faults.add("slow", "create", times=None)
        told: list[tuple[str, ...]] = []
        tokens: list[Arguments] = []
        numbers = itertools.count()
        rolling = True

        async def buyer() -> None:
            while rolling:
                envelope = await here.ask("preview_order", unlike(next(numbers)))
                if not envelope:
                    continue
                assert envelope["ok"], envelope["problem"]
                arguments = envelope["preview"]["create_order_arguments"]
                tokens.append(arguments)
                told.append(await here.create(arguments))

        async with anyio.create_task_group() as tasks:
            for _ in range(6):
                tasks.start_soon(buyer)
            for number, replica in enumerate(here.replicas):
                before = len(told)
                while len(told) < before + 6:  # noqa: ASYNC110 - another process' doing
                    await anyio.sleep(0.01)
                assert (await here.http.get(f"{replica.url}/readyz")).status_code == 200
                replica.terminate()
                assert await replica.ended(30) == 0, replica.log.read_text()
                here.replicas[number] = await answering(start(here.environment, tmp_path, replica.port))
            rolling = False
        orders = await here.orders()
        here.assert_true(orders)
        final = [await here.create(arguments) for arguments in tokens]
    assert {order.state for order in orders} == {"placed"}
    assert {answer[0] for answer in told} <= {"placed", "no answer"}
    assert sum(answer == ("no answer",) for answer in told) <= len(told) / 10
    assert {answer[0] for answer in final} == {"placed"}
    assert len(here.sandbox.books.orders) == here.sandbox.books.received["create"] == len(tokens)
    assert all("Traceback" not in replica.log.read_text() for replica in here.replicas)

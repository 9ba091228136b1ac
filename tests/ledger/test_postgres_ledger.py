"""The conformance suite against the PostgreSQL driver, on a real server."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import anyio.to_thread
import psycopg
import psycopg.sql
import pytest
from mcp import Client

from harness.clock import Clock
from harness.house import call, previewed, settings_for
from harness.postgres_server import PostgresServer
from harness.seams import SteppedLedger
from harness.trail_check import first_break
from ledger.ledger_suite import LedgerSuite
from ledger.suite.stores import PLACED, Store, claim, claimed, preview_of, standing_of, stored, used_by
from xportcn_server.app import build_server
from xportcn_server.doctor.check_postgres import check_postgres
from xportcn_server.parts import Seams, ledger_of
from xportcn_server.sandbox.service import build_sandbox
from xportcn_tools.ledger import sql
from xportcn_tools.ledger.ledger import (
    Claimed,
    DayUsage,
    Ledger,
    LedgerUnavailableError,
    Realm,
    RuleBroken,
    StoredPreview,
)
from xportcn_tools.ledger.postgres import PostgresLedger
from xportcn_tools.ledger.queries import Session

pytestmark = pytest.mark.anyio


class PostgresStore:
    def __init__(self, url: str) -> None:
        self.clock = Clock()
        self._url = url

    @asynccontextmanager
    async def view(self, realm: Realm = "sandbox", zone: tzinfo = UTC) -> AsyncGenerator[Ledger]:
        ledger = PostgresLedger(self._url, realm, zone=zone, clock=self.clock)
        await ledger.open()
        try:
            yield ledger
        finally:
            await ledger.aclose()


class TestPostgresLedger(LedgerSuite):
    @pytest.fixture
    def store(self, postgres: PostgresServer) -> Store:
        return PostgresStore(postgres.new_database())


# What only this store has


async def test_a_database_with_another_isolation_level_counts_the_caps_on_committed_data(
    postgres: PostgresServer,
) -> None:
    url = postgres.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        name = psycopg.sql.Identifier(connection.info.dbname)
        change = psycopg.sql.SQL("ALTER DATABASE {} SET default_transaction_isolation = 'repeatable read'")
        connection.execute(change.format(name))
    store = PostgresStore(url)
    claims: list[object] = []
    async with store.view() as one, store.view() as other, anyio.create_task_group() as tasks:
        previews = [preview_of(number) for number in range(12)]
        for preview in previews:
            await stored(one, preview)

        def no_more_than_three(used: DayUsage) -> str | None:
            return "full" if used.orders >= 3 else None

        async def attempt(ledger: Ledger, preview: StoredPreview) -> None:
            claims.append(await claim(ledger, preview, no_more_than_three))

        for number, preview in enumerate(previews):
            tasks.start_soon(attempt, (one, other)[number % 2], preview)
    assert sum(isinstance(each, Claimed) for each in claims) == 3
    assert claims.count(RuleBroken("full")) == 9


GUARDS = {
    "synchronous_commit": "on",
    "client_min_messages": "warning",
    "lock_timeout": "5s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "10s",
}


@pytest.mark.parametrize("kind", ["_transaction", "_one_row", "_snapshot"])
async def test_each_transaction_sets_its_own_guards_and_leaves_none_to_the_next_user_of_the_connection(
    postgres: PostgresServer, kind: str
) -> None:
    ledger = PostgresLedger(f"{postgres.new_database()}?options=-csynchronous_commit%3Doff", "sandbox")

    def settings(sql: Session) -> dict[str, str]:
        return {name: str(sql.execute(f"SHOW {name}")[0][name]) for name in GUARDS}

    def work(sql: Session) -> tuple[dict[str, str], dict[str, str]]:
        with getattr(ledger, kind)(sql):
            inside = settings(sql)
        return inside, settings(sql)

    inside, outside = await ledger._run(work)  # pyright: ignore[reportPrivateUsage]
    await ledger.aclose()
    assert inside == GUARDS
    assert (outside["synchronous_commit"], outside["statement_timeout"]) == ("off", "0")


@asynccontextmanager
async def pooler_before(postgres: PostgresServer) -> AsyncGenerator[int]:
    """The port of what stands before the server as PgBouncer does: it refuses start-up options."""

    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream, await anyio.connect_tcp("127.0.0.1", postgres.port) as server:
            start = await stream.receive()
            if start[4:8] == SSL_REQUEST:
                await stream.send(b"N")
                start = await stream.receive()
            if b"\0options\0" in start:
                await stream.send(REFUSAL)
                return
            await server.send(start)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(pump, stream, server)
                await pump(server, stream)
                tasks.cancel_scope.cancel()

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - no Django here
        tasks.cancel_scope.cancel()


SSL_REQUEST = (80877103).to_bytes(4, "big")
_SAYS = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"
REFUSAL = b"E" + (len(_SAYS) + 4).to_bytes(4, "big") + _SAYS


async def pump(source: anyio.abc.SocketStream, sink: anyio.abc.SocketStream) -> None:
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        while True:
            await sink.send(await source.receive())


async def test_an_order_is_kept_and_read_through_a_pooler_that_takes_no_options(
    postgres: PostgresServer,
) -> None:
    url = postgres.new_database()
    async with pooler_before(postgres) as port:
        through = url.replace(f":{postgres.port}/", f":{port}/")
        ledger = PostgresLedger(through, "sandbox")
        with anyio.fail_after(60):
            order = await claimed(ledger, preview_of(1))
            await ledger.record(order.order_key, PLACED)
            await ledger.aclose()
            refused = PostgresLedger(f"{through}?options=-csearch_path%3Dmine", "sandbox")
            with pytest.raises(LedgerUnavailableError):  # what the owner asks for is never dropped in silence
                await refused.open()
            await refused.aclose()
            (found,) = await anyio.to_thread.run_sync(check_postgres, f"{through}?options=-cx%3D1")
    assert found.status == "fault"
    assert "pooler" in found.found


# What a standby, a frozen host or a newer replica does to it


def standby(server: PostgresServer, name: str) -> None:
    """Name a synchronous standby that is not there, for which every commit then waits; or none."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("SET synchronous_commit = local")
        statement = psycopg.sql.SQL("ALTER SYSTEM SET synchronous_standby_names = {}")
        connection.execute(statement.format(psycopg.sql.Literal(name)))
        connection.execute("SELECT pg_reload_conf()")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        while connection.execute("SHOW synchronous_standby_names").fetchone() != (name,):
            connection.execute("SELECT pg_sleep(0.02)")


def waiting_for_standby(server: PostgresServer) -> list[int]:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        found = connection.execute("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        return [row[0] for row in found]


@pytest.fixture
def without_standby(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Generator[PostgresServer]:
    """The server, whose commits wait for nobody again at the end; nor does a test wait for long."""
    monkeypatch.setattr(sql, "GIVE_UP_SECONDS", 3.0)
    try:
        yield postgres
    finally:
        standby(postgres, "")


@pytest.mark.parametrize(
    ("how", "options"),
    [
        ("pg_cancel_backend", ""),
        ("pg_cancel_backend", "?options=-cclient_min_messages%3Derror"),
        ("pg_terminate_backend", ""),
    ],
)
async def test_a_claim_that_the_standby_does_not_hold_is_not_sent(
    tmp_path: Path, without_standby: PostgresServer, how: str, options: str
) -> None:
    """Its commit waits for a standby that is away; somebody ends the wait. After a failover nobody would know."""
    server, sandbox = without_standby, build_sandbox()
    settings = settings_for(tmp_path / "unused", LEDGER=server.new_database() + options, APPROVAL="off")
    told: dict[str, Any] = {}

    async def step(name: str) -> None:
        if name == "claim":
            await anyio.to_thread.run_sync(standby, server, "away")

    with anyio.fail_after(60):
        async with Client(
            build_server(settings, Seams(sandbox=sandbox, ledger=SteppedLedger(ledger_of(settings), step)))
        ) as client:
            arguments = (await previewed(client))["create_order_arguments"]
            async with anyio.create_task_group() as tasks:

                async def create() -> None:
                    told.update(await call(client, "create_order", arguments))

                tasks.start_soon(create)
                while not (waiting := await anyio.to_thread.run_sync(waiting_for_standby, server)):  # noqa: ASYNC110 - another process' doing
                    await anyio.sleep(0.02)
                with psycopg.connect(server.url(), autocommit=True) as connection:
                    for pid in waiting:
                        ended = psycopg.sql.SQL("SELECT {}(%s)").format(psycopg.sql.Identifier(how))
                        connection.execute(ended, (pid,))
    assert sandbox.books.received["create"] == 0
    assert (told["problem"]["code"], told["problem"]["request_sent"]) == ("ledger_unavailable", "no")


async def test_an_answer_that_came_is_told_though_its_commit_hangs(
    tmp_path: Path, without_standby: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    server, sandbox = without_standby, build_sandbox()
    settings = settings_for(tmp_path / "unused", LEDGER=server.new_database(), APPROVAL="off")

    async def step(name: str) -> None:
        if name == "record":
            await anyio.to_thread.run_sync(standby, server, "away")

    with anyio.fail_after(60):
        async with Client(
            build_server(settings, Seams(sandbox=sandbox, ledger=SteppedLedger(ledger_of(settings), step)))
        ) as client:
            arguments = (await previewed(client))["create_order_arguments"]
            told = await call(client, "create_order", arguments)
            standby(server, "")
            reference = told["order"]["out_order_id"]
            listed = await call(client, "get_orders", {"reference": reference})
    (made,) = sandbox.books.orders
    assert told["ok"]
    assert told["order"]["order_ids"] == list(made.order_ids)
    assert f"order {reference}: the outcome could not be recorded: placed" in caplog.text
    assert made.order_ids[0] in caplog.text
    assert listed["orders"][0]["state"] in ("placed", "sending")  # the commit went through after all, or will


@pytest.mark.parametrize("table", ["previews", "orders", "trail"])
async def test_a_replica_goes_on_when_a_newer_one_has_added_a_column(
    postgres: PostgresServer, table: str
) -> None:
    url = postgres.new_database()
    store = PostgresStore(url)
    async with store.view() as ledger:
        order = await claimed(ledger, preview_of(1))  # is being sent when the newer one starts
        for _ in range(8):  # as often as it takes for a statement to be prepared
            await standing_of(ledger, preview_of(1))
        with psycopg.connect(url, autocommit=True) as connection:
            added = psycopg.sql.SQL("ALTER TABLE {} ADD COLUMN note TEXT")
            connection.execute(added.format(psycopg.sql.Identifier(table)))
        placed = await ledger.record(order.order_key, PLACED)
        assert placed.state == "placed"
        assert (await standing_of(ledger, preview_of(1))).preview == preview_of(1)
        assert first_break(await ledger.trail()) is None
        await claimed(ledger, preview_of(2))


@pytest.mark.parametrize("setting", ["datestyle = 'SQL, DMY'", "timezone = 'Asia/Shanghai'"])
async def test_how_a_database_writes_times_changes_nothing(postgres: PostgresServer, setting: str) -> None:
    url = postgres.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        name = psycopg.sql.Identifier(connection.info.dbname)
        change = psycopg.sql.SQL("ALTER DATABASE {} SET ").format(name) + psycopg.sql.SQL(setting)  # pyright: ignore[reportArgumentType]
        connection.execute(change)
    ledger = PostgresLedger(url, "sandbox")
    try:
        order = await claimed(ledger, preview_of(1))
        now = (await standing_of(ledger, preview_of(1))).now
        assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)
        assert abs(order.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    finally:
        await ledger.aclose()


async def test_a_database_without_an_encoding_keeps_chinese_whole(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(
            "CREATE DATABASE plain ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
    ledger = PostgresLedger(postgres.url("plain"), "sandbox")
    try:
        await claimed(ledger, preview_of(1))
        await claimed(ledger, preview_of(2))
        assert (await standing_of(ledger, preview_of(1))).preview == preview_of(1)
    finally:
        await ledger.aclose()


async def test_a_schema_that_the_url_names_is_the_ledgers(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA mine")
        ledger = PostgresLedger(f"{url}?options=-csearch_path%3Dmine", "sandbox")
        await ledger.open()
        await ledger.aclose()
        found = connection.execute("SELECT schemaname FROM pg_tables WHERE tablename = 'orders'").fetchall()
    assert found == [("mine",)]


async def test_the_settings_name_whose_day_the_caps_go_by(tmp_path: Path, postgres: PostgresServer) -> None:
    changes = {"LEDGER": postgres.new_database(), "TIMEZONE": "Asia/Kathmandu"}
    ledger = ledger_of(settings_for(tmp_path / "unused", **changes), Clock())
    try:
        assert (await used_by(ledger)).ends_at == datetime(2026, 3, 9, 18, 15, tzinfo=UTC)
    finally:
        await ledger.aclose()


async def test_a_replica_whose_clock_is_slow_takes_no_old_price_for_a_fresh_one(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    url, sandbox = postgres.new_database(), build_sandbox()
    settings = settings_for(tmp_path / "unused", LEDGER=url, APPROVAL="off")

    def slow() -> datetime:
        return datetime.now(UTC) - timedelta(seconds=65)

    def replica(clock: Callable[[], datetime] | None) -> Client:
        # The clock is the replica's; the ledger's own is the database's.
        return Client(
            build_server(settings, Seams(clock=clock, sandbox=sandbox, ledger=PostgresLedger(url, "sandbox")))
        )

    with anyio.fail_after(60):
        async with replica(None) as right:
            arguments = (await previewed(right))["create_order_arguments"]
        with psycopg.connect(url, autocommit=True) as connection:
            earlier = (datetime.now(UTC) - timedelta(seconds=75)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            connection.execute("UPDATE previews SET created_at = %s", (earlier,))
        async with replica(slow) as behind:
            told = await call(behind, "create_order", arguments)
    assert told["order"]["state"] == "placed"
    assert sandbox.books.received == {"preview": 2, "product": 2, "create": 1}

"""The conformance suite against the PostgreSQL driver, on a real server."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import psycopg
import psycopg.sql
import pytest

from postgres import PostgresServer
from xportcn_tools.ledger.ledger import Claimed, DayUsage, Judged, Ledger, PreviewRecord
from xportcn_tools.ledger.postgres import PostgresLedger

pytest.register_assert_rewrite("contract.ledger_suite")

from contract.ledger_suite import (  # noqa: E402 - asserts rewritten first
    Clock,
    LedgerSuite,
    Store,
    claim,
    preview_of,
)

pytestmark = pytest.mark.anyio


class PostgresStore:
    def __init__(self, url: str) -> None:
        self.clock = Clock()
        self._url = url

    @asynccontextmanager
    async def view(self) -> AsyncGenerator[Ledger]:
        ledger = PostgresLedger(self._url, clock=self.clock)
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
            await one.store_preview(preview)

        def no_more_than_three(used: DayUsage) -> str | None:
            return "full" if used.orders >= 3 else None

        async def attempt(ledger: Ledger, preview: PreviewRecord) -> None:
            claims.append(await claim(ledger, preview, no_more_than_three))

        for number, preview in enumerate(previews):
            tasks.start_soon(attempt, (one, other)[number % 2], preview)
    assert sum(isinstance(each, Claimed) for each in claims) == 3
    assert claims.count(Judged("full")) == 9


async def test_who_vanishes_inside_a_transaction_does_not_keep_the_others_waiting_for_long(
    postgres: PostgresServer,
) -> None:
    ledger = PostgresLedger(postgres.new_database())
    setting = "SELECT current_setting('idle_in_transaction_session_timeout') AS value"
    (row,) = await ledger._run(  # pyright: ignore[reportPrivateUsage]
        lambda sql: sql.execute(setting)
    )
    await ledger.aclose()
    assert row["value"] == "10s"

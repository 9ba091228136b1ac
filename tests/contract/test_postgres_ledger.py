"""The conformance suite against the PostgreSQL driver, on a real server."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from postgres import PostgresServer
from xportcn_tools.ledger.ledger import Ledger
from xportcn_tools.ledger.postgres import PostgresLedger

pytest.register_assert_rewrite("contract.ledger_suite")

from contract.ledger_suite import Clock, LedgerSuite, Store  # noqa: E402 - asserts rewritten first

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

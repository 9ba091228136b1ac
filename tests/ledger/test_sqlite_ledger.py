"""The conformance suite against the SQLite driver."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, tzinfo
from pathlib import Path

import pytest

from harness.clock import Clock
from ledger.ledger_suite import LedgerSuite
from ledger.suite.stores import Store
from xportcn_tools.ledger.ledger import Ledger, Realm
from xportcn_tools.ledger.sqlite import SqliteLedger

pytestmark = pytest.mark.anyio


class SqliteStore:
    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        self._path = path

    @asynccontextmanager
    async def view(self, realm: Realm = "sandbox", zone: tzinfo = UTC) -> AsyncGenerator[Ledger]:
        ledger = SqliteLedger(self._path, realm, zone=zone, clock=self.clock)
        await ledger.open()
        try:
            yield ledger
        finally:
            await ledger.aclose()


class TestSqliteLedger(LedgerSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return SqliteStore(tmp_path / "ledger.db")

"""What the owner does with a ledger as a whole, as SQL that every driver runs."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, TypeVar

from xportcn_tools.ledger import rows
from xportcn_tools.ledger.queries import Queries, Session
from xportcn_tools.ledger.trail import TrailRow
from xportcn_tools.ledger.upkeep import Pause

T = TypeVar("T")


class SqlUpkeep(ABC):
    """The owner's part of `SqlLedger`."""

    _queries: Queries

    @abstractmethod
    async def _run(self, work: Callable[[Session], T]) -> T: ...

    @abstractmethod
    def _transaction(self, sql: Session) -> AbstractContextManager[None]:
        """Commit at the end, on disk; roll back on an exception. One writer at a time."""

    @abstractmethod
    def _now(self, sql: Session) -> datetime:
        """Aware UTC, by the clock that all who share the ledger go by."""

    @abstractmethod
    def _append(self, sql: Session, event: str, subject: str, body: dict[str, Any]) -> TrailRow: ...

    async def backed_up(self) -> None:
        def work(sql: Session) -> None:
            with self._transaction(sql):
                self._append(sql, "backed_up", "", {})

        await self._run(work)

    async def paused(self) -> Pause | None:
        return await self._run(self._queries.paused)

    async def pause(self, reason: str) -> None:
        def work(sql: Session) -> None:
            with self._transaction(sql):
                sql.execute("DELETE FROM pause")
                row = {"one": 1, "since": rows.time_text(self._now(sql)), "reason": reason}
                self._queries.insert(sql, "pause", row)
                self._append(sql, "paused", "", {})

        await self._run(work)

    async def resume(self) -> bool:
        def work(sql: Session) -> bool:
            with self._transaction(sql):
                if not self._queries.paused(sql):
                    return False
                sql.execute("DELETE FROM pause")
                self._append(sql, "resumed", "", {})
                return True

        return await self._run(work)

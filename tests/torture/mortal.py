"""The life of a process, as a row of moments at which it may end.

A moment passes at every step of the desk, at every suspension of its coroutine, before every statement
that writes and after every commit, and at each turn of an exchange with the upstream. What happens at a
moment is the life's `fate`: nothing, SIGKILL, a cancellation, or `ProcessDiedError`, after which this life
touches nothing any more: neither its `except` and `finally` blocks nor its threads reach ledger or network.
"""

import sqlite3
import types
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import anyio.lowlevel
import httpx

from xportcn_tools.ledger.postgres import Connection, PostgresLedger, PostgresSession
from xportcn_tools.ledger.queries import Row, Session
from xportcn_tools.ledger.sqlite import SqliteLedger

T = TypeVar("T")
L = TypeVar("L", bound=SqliteLedger | PostgresLedger)

SUSPENDED = "await"
WRITES = ("BEGIN", "INSERT", "UPDATE", "DELETE", "COMMIT")
TURNS = {
    "connection.connect_tcp.started": "connecting",
    "connection.connect_tcp.complete": "connected",
    "http11.send_request_headers.complete": "head left",
    "http11.send_request_body.complete": "request left",
    "http11.receive_response_body.complete": "answer came",
}
"""httpcore's own events, and what we call them."""


class ProcessDiedError(BaseException):
    """Nothing runs after it: no handler of the product may catch it and act."""


class Moment(NamedTuple):
    """The `number`th moment within a phase, which is the last step that the desk has taken."""

    phase: str
    number: int
    what: str

    def __str__(self) -> str:
        return f"{self.phase}: {self.what}"


Fate = Callable[[Moment], None]


def spared(moment: Moment) -> None:
    """The fate of those whom nothing befalls."""


class Life:
    """One process's life, from its first moment to the one that its fate picks."""

    def __init__(self, fate: Fate = spared) -> None:
        self.passed: list[Moment] = []
        self.dead = False
        self._phase = "start"
        self._number = 0
        self._fate = fate

    async def step(self, name: str) -> None:
        self._phase, self._number = name, 0
        self.moment("reached")

    def moment(self, what: str) -> None:
        if self.dead:
            raise ProcessDiedError
        self._number += 1
        moment = Moment(self._phase, self._number, what)
        self.passed.append(moment)
        try:
            self._fate(moment)
        except ProcessDiedError:
            self.dead = True
            raise


@types.coroutine
def driven(work: Coroutine[Any, Any, T], life: Life) -> Generator[Any, Any, T]:
    """Run `work` with a moment at each of its suspensions; one that died is unwound, never resumed."""
    value: Any = None
    thrown: BaseException | None = None
    while True:
        try:
            waits_for = work.throw(thrown) if thrown else work.send(value)
        except StopIteration as end:
            return end.value
        value, thrown = None, None
        try:
            life.moment(SUSPENDED)
        except ProcessDiedError as death:
            thrown = death
            continue
        try:
            value = yield waits_for
        except BaseException as error:  # noqa: BLE001 - handed on, whatever it is
            thrown = error


class _Connection:
    """A SQLite connection with a moment before each writing statement and after each commit."""

    def __init__(self, inner: sqlite3.Connection, life: Life) -> None:
        self._inner = inner
        self._life = life

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        what = " ".join(statement.split()[: 3 if statement.startswith("INSERT") else 1])
        if what.startswith(WRITES):
            self._life.moment(f"before {what}")
        elif self._life.dead:
            raise ProcessDiedError  # a rollback too: what the dead left open ends with its connection
        cursor = self._inner.execute(statement, *values)
        if what == "COMMIT":
            self._life.moment("after COMMIT")
        return cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class MortalLedger(SqliteLedger):
    """The real driver on the real file, entered where it gets its connection."""

    def __init__(self, path: Path, life: Life, **options: Any) -> None:
        super().__init__(path, "real", **options)
        self._life = life

    def _connected(self) -> sqlite3.Connection:
        if self._life.dead:
            raise ProcessDiedError
        return cast("sqlite3.Connection", _Connection(super()._connected(), self._life))


class InlineLedger(MortalLedger):
    """The same without its worker thread: nothing goes on behind the back of a task that died or was cut off."""

    async def _run(self, work: Callable[[Session], T]) -> T:
        await anyio.lowlevel.checkpoint()
        done = self._guarded(work)
        await anyio.lowlevel.cancel_shielded_checkpoint()
        return done


class _MortalSession(PostgresSession):
    """A session with the same moments. A rollback of the dead is the database's own, when they are gone."""

    def __init__(self, connection: Connection, life: Life) -> None:
        super().__init__(connection)
        self._life = life

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        what = " ".join(statement.split()[: 3 if statement.startswith("INSERT") else 1])
        if what.startswith(WRITES):
            self._life.moment(f"before {what}")
        elif self._life.dead:
            raise ProcessDiedError
        found = super().execute(statement, values)
        if what == "COMMIT":
            self._life.moment("after COMMIT")
        return found


class MortalPostgresLedger(PostgresLedger):
    """The other driver on a real server, without worker threads: one run is like the next."""

    def __init__(self, url: str, life: Life, **options: Any) -> None:
        super().__init__(url, "real", **options)
        self._life = life

    def _session(self, connection: Connection) -> Session:
        return _MortalSession(connection, self._life)

    async def _run(self, work: Callable[[Session], T]) -> T:
        if self._life.dead:
            raise ProcessDiedError
        await anyio.lowlevel.checkpoint()
        done = self._guarded(work)
        await anyio.lowlevel.cancel_shielded_checkpoint()
        return done


class MortalTransport(httpx.AsyncBaseTransport):
    """Another transport with a moment at each turn of the exchange."""

    def __init__(self, inner: httpx.AsyncBaseTransport, life: Life) -> None:
        self._inner = inner
        self._life = life

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._life.moment("before the exchange")
        listener = request.extensions.get("trace")

        async def trace(event: str, info: Mapping[str, Any]) -> None:
            if listener:
                await listener(event, info)
            if event in TURNS:
                self._life.moment(TURNS[event])

        request.extensions = {**request.extensions, "trace": trace}
        response = await self._inner.handle_async_request(request)
        self._life.moment("answer began")
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def closing(ledger: L) -> AsyncGenerator[L]:
    """Its connection is closed at the end, as the system closes a dead process's: open work is undone."""
    try:
        yield ledger
    finally:
        with anyio.CancelScope(shield=True):
            await ledger.aclose()

"""What is watched when telemetry is on: the calls of the upstream and the transactions of the ledger.

Wrappers at the two seams of the desk; neither the desk nor what is below the seams knows of them. After a
claim they do nothing that waits and nothing that can raise: `instruments.quietly` is around all of it.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, ParamSpec, TypeVar

import anyio

from xportcn_server.telemetry.forwarding import ForwardingLedger
from xportcn_server.telemetry.instruments import Attributes, Instruments, quietly
from xportcn_tools.desk.caps import Caps
from xportcn_tools.ledger.ledger import (
    AlreadyClaimed,
    Claimed,
    ClaimResult,
    DayUsage,
    EarlierUnknown,
    Ledger,
    NewOrder,
    OrderQuery,
    OrderRecord,
    Outcome,
    ReferenceUsed,
    RuleBroken,
)
from xportcn_tools.ledger.sql import SqlLedger
from xportcn_tools.ledger.upkeep import Pause
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.port import AnswerLostError, MayLeave, NotSentError, Upstream

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

REFRESH_SECONDS = 30.0
"""How old the number of open unknown orders may be; a record refreshes it at once."""

System = Literal["sqlite", "postgresql"]


class Telemetry:
    """What a server is watched with. `close` sends what is left, and returns within a few seconds."""

    def __init__(self, instruments: Instruments, close: Callable[[], Awaitable[None]] | None = None) -> None:
        self._instruments = instruments
        self._close = close
        self._changed: anyio.Event | None = None

    def ledger(self, ledger: Ledger, system: System, caps_of: Callable[[str], Caps]) -> Ledger:
        """The same ledger, watched. `caps_of`: the day's caps of a caller."""
        if isinstance(ledger, SqlLedger):
            ledger.on_abandoned = self._recorded
        return _WatchedLedger(ledger, self._instruments, self._recorded, system, caps_of)

    def upstream(self, upstream: Upstream) -> Upstream:
        """The same upstream, watched."""
        return _WatchedUpstream(upstream, self._instruments)

    async def aclose(self) -> None:
        """Send what is left; never raises, never takes longer than a few seconds."""
        if self._close:
            try:
                await self._close()
            except Exception:
                logger.debug("telemetry could not be closed", exc_info=True)

    async def refresh(self, ledger: Ledger) -> None:
        """Keep the number of open unknown orders fresh, until cancelled. `ledger`: not watched: no spans."""
        while True:
            self._changed = changed = anyio.Event()
            try:
                self._instruments.unknowns = len(await ledger.orders(OrderQuery(None, states=("unknown",))))
            except Exception:  # an old number would be a wrong one
                logger.debug("the unknown orders could not be counted", exc_info=True)
                self._instruments.unknowns = None
            with anyio.move_on_after(REFRESH_SECONDS):
                await changed.wait()

    def _recorded(self, orders: Sequence[OrderRecord]) -> None:
        self._instruments.ended(orders)
        if self._changed:
            quietly(self._changed.set)


class _WatchedLedger(ForwardingLedger):
    """A span for each method of the ledger, by its name."""

    def __init__(
        self,
        inner: Ledger,
        instruments: Instruments,
        recorded: Callable[[Sequence[OrderRecord]], None],
        system: System,
        caps_of: Callable[[str], Caps],
    ) -> None:
        super().__init__(inner)
        self._instruments = instruments
        self._recorded = recorded
        self._system = system
        self._caps_of = caps_of

    async def around(
        self, name: str, method: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        attributes = {
            "db.system.name": self._system,
            "db.operation.name": name,
            "xportcn.mode": self._instruments.mode,
        }
        call = method(*args, **kwargs)
        return await self._instruments.watched(f"ledger {name}", attributes, call, _of_transaction)

    async def claim(
        self, new: NewOrder, lease_seconds: float, judge: Callable[[DayUsage], T | None]
    ) -> ClaimResult[T]:
        # A look into a callers' file: before the claim, since after it every moment counts.
        caps = quietly(lambda: self._caps_of(new.preview.caller))
        seen: list[DayUsage] = []

        def listening(used: DayUsage) -> T | None:
            seen.append(used)
            return judge(used)

        claimed = await super().claim(new, lease_seconds, listening)
        if caps and seen:
            fen = new.preview.payable_fen if isinstance(claimed, Claimed) else None
            quietly(lambda: self._instruments.used(caps, seen[-1], fen))
        return claimed

    async def record(self, order_key: str, outcome: Outcome) -> OrderRecord:
        order = await super().record(order_key, outcome)
        # In another state it had ended before, and was counted then.
        self._recorded([order] if order.state == outcome.state else [])
        return order

    async def resolve(self, order_key: str, outcome: Outcome, event: str) -> OrderRecord | None:
        order = await super().resolve(order_key, outcome, event)
        self._recorded([order] if order else [])
        return order


def _of_transaction(result: object, seconds: float) -> Attributes:
    del seconds
    match result:
        case BaseException():
            return {"error.type": type(result).__name__}
        case Claimed() | AlreadyClaimed() | ReferenceUsed() | EarlierUnknown() | Pause() | RuleBroken():
            return {"xportcn.outcome": type(result).__name__}  # pyright: ignore[reportUnknownArgumentType]
        case OrderRecord():
            return {"xportcn.outcome": result.state}
        case _:
            return {}


class _WatchedUpstream:
    """A span and a latency for each call."""

    def __init__(self, inner: Upstream, instruments: Instruments) -> None:
        self._inner = inner
        self._instruments = instruments

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def preview(self, body: Mapping[str, Any], user_id: str | None = None) -> Reply:
        return await self._call("preview", self._inner.preview(body, user_id))

    async def read(self, path: str, body: Mapping[str, Any], user_id: str | None = None) -> Reply:
        return await self._call("read", self._inner.read(path, body, user_id))

    def prepare(self) -> None:
        self._inner.prepare()

    async def create(
        self, body: Mapping[str, Any], user_id: str | None = None, *, may_leave: MayLeave = lambda: True
    ) -> Reply:
        return await self._call("create", self._inner.create(body, user_id, may_leave=may_leave))

    async def _call(self, operation: Literal["preview", "read", "create"], call: Awaitable[Reply]) -> Reply:
        def described(result: Reply | BaseException, seconds: float) -> Attributes:
            result_of = _of_call(result)
            quietly(lambda: self._instruments.took(seconds, {"xportcn.operation": operation, **result_of}))
            return result_of

        attributes = {
            "xportcn.operation": operation,
            "http.request.method": "POST",
            "xportcn.mode": self._instruments.mode,
        }
        return await self._instruments.watched(f"upstream {operation}", attributes, call, described)


def _of_call(result: Reply | BaseException) -> Attributes:
    match result:
        case Reply():
            kind = "answered" if result.envelope else "unreadable"
            failed = {"error.type": str(result.status)} if result.status >= 400 else {}
            return {"xportcn.result": kind, "http.response.status_code": result.status, **failed}
        case NotSentError():
            kind = "not_sent"
        case AnswerLostError():
            kind = "answer_lost"
        case _:
            kind = "error" if isinstance(result, Exception) else "cancelled"
    return {"xportcn.result": kind, "error.type": type(result).__name__}

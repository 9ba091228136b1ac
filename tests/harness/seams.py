"""The moments of a create, taken at the desk's two seams: the ledger and the upstream.

    find       before the token is looked up          claim     before the claim
    check      before the day's usage is read         send      the claim stands, nothing has left
    recheck    before the preview's age is judged     record    the answer came, nothing is recorded
                                                      recorded  the outcome is in the ledger

A test is told each moment by its name, and stops, kills or interleaves there. The product knows nothing of
it: a wrapped ledger is a ledger. A client that cannot ask causes `find` and `check` twice, since the question
comes first.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from xportcn_server.telemetry.forwarding import ForwardingLedger
from xportcn_tools.ledger.ledger import Claimed, Ledger

P = ParamSpec("P")
T = TypeVar("T")

Step = Callable[[str], Awaitable[None]]

_BEFORE = {
    "preview_by_token": ("find", None),
    "usage": ("check", "find"),
    "now": ("recheck", "check"),
    "claim": ("claim", None),
    "record": ("record", "send"),
}
"""The ledger's method → the moment before it, and the one that must have gone before, if any."""

_last: ContextVar[str] = ContextVar("_last", default="")  # each call of a tool has a task of its own


class SteppedLedger(ForwardingLedger):
    """A ledger that tells each moment of a create."""

    def __init__(self, inner: Ledger, step: Step) -> None:
        super().__init__(inner)
        self._step = step

    async def around(
        self, name: str, method: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        moment, after = _BEFORE.get(name, ("", ""))
        if moment and after in (None, _last.get()):
            await self._tell(moment)
        result = await method(*args, **kwargs)
        if isinstance(result, Claimed):
            await self._tell("send")
        if name == "record":
            await self._tell("recorded")
        return result

    async def _tell(self, moment: str) -> None:
        _last.set(moment)
        await self._step(moment)

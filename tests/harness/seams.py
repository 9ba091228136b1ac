"""The moments of a create, taken at the desk's two seams: the ledger and the upstream.

    find       before the ledger is asked how things stand     claim     before the claim
    check      they are known, and no attempt was made         send      the claim stands, nothing has left
    recheck    before the price is asked again                 record    the answer came, nothing is recorded
                                                               recorded  the outcome is in the ledger

A test hears each moment by its name, and stops, kills or interleaves there. The product knows nothing of
it. A tool call passes `find` and `check` twice, since the question to the person comes first.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from xportcn_server.telemetry.forwarding import ForwardingLedger
from xportcn_tools.ledger.ledger import Claimed, Ledger, Standing
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.port import MayLeave, Upstream

P = ParamSpec("P")
T = TypeVar("T")

Step = Callable[[str], Awaitable[None]]

_last: ContextVar[str] = ContextVar("_last", default="")  # each call of a tool has a task of its own


async def _pass(step: Step, moment: str) -> None:
    _last.set(moment)
    await step(moment)


class SteppedLedger(ForwardingLedger):
    """A ledger that tells the moments of a create, but for `recheck`."""

    def __init__(self, inner: Ledger, step: Step) -> None:
        super().__init__(inner)
        self._step = step

    async def around(
        self, name: str, method: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        before = {"standing": "find", "claim": "claim", "record": "record"}.get(name)
        if before and (before, _last.get()) != ("record", "record"):  # recording is tried again
            await _pass(self._step, before)
        result = await method(*args, **kwargs)
        if isinstance(result, Standing) and not result.attempt:
            await _pass(self._step, "check")
        if isinstance(result, Claimed):
            await _pass(self._step, "send")
        if name == "record":
            await _pass(self._step, "recorded")
        return result


class ForwardingUpstream:
    """An upstream that passes every call on."""

    def __init__(self, inner: Upstream) -> None:
        self._inner = inner

    async def preview(self, body: Mapping[str, Any], user_id: str | None = None) -> Reply:
        return await self._inner.preview(body, user_id)

    def prepare(self) -> None:
        self._inner.prepare()

    async def create(
        self, body: Mapping[str, Any], user_id: str | None = None, *, may_leave: MayLeave = lambda: True
    ) -> Reply:
        return await self._inner.create(body, user_id, may_leave=may_leave)

    async def read(self, path: str, body: Mapping[str, Any], user_id: str | None = None) -> Reply:
        return await self._inner.read(path, body, user_id)

    async def aclose(self) -> None:
        await self._inner.aclose()


class SteppedUpstream(ForwardingUpstream):
    """An upstream that tells of `recheck`."""

    def __init__(self, inner: Upstream, step: Step) -> None:
        super().__init__(inner)
        self._step = step

    async def preview(self, body: Mapping[str, Any], user_id: str | None = None) -> Reply:
        if _last.get() == "check":
            await _pass(self._step, "recheck")
        return await super().preview(body, user_id)

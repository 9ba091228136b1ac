"""A ledger around another one: every method goes through `around`, which may look on."""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import ParamSpec, TypeVar

from xportcn_tools.ledger.approvals import ApprovedBy, Bought, DeclinedIn, SignIn, Visitor
from xportcn_tools.ledger.ledger import (
    ClaimResult,
    DayUsage,
    Ledger,
    NewOrder,
    OrderQuery,
    OrderRecord,
    Outcome,
    Receipt,
    Remembered,
    Standing,
    StateTotal,
    StoredPreview,
)
from xportcn_tools.ledger.trail import TrailRow
from xportcn_tools.ledger.upkeep import Pause
from xportcn_tools.order import OrderRequest
from xportcn_tools.upstream_state import Reading, VendorMessage

P = ParamSpec("P")
T = TypeVar("T")


class ForwardingLedger:
    """The same ledger. A method that the Protocol gains and this lacks is an error of types."""

    def __init__(self, inner: Ledger) -> None:
        self.inner = inner

    async def around(
        self, name: str, method: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call the ledger's method, whose name is `name`."""
        del name
        return await method(*args, **kwargs)

    async def open(self) -> None:
        await self.around("open", self.inner.open)

    async def aclose(self) -> None:
        await self.around("aclose", self.inner.aclose)

    async def standing(self, token_digest: str, caller: str) -> Standing | None:
        return await self.around("standing", self.inner.standing, token_digest, caller)

    async def offer(
        self, caller: str, request: OrderRequest, made: Callable[[Remembered], StoredPreview]
    ) -> StoredPreview:
        return await self.around("offer", self.inner.offer, caller, request, made)

    async def orders(self, query: OrderQuery) -> list[OrderRecord]:
        return await self.around("orders", self.inner.orders, query)

    async def totals(self, query: OrderQuery) -> list[StateTotal]:
        return await self.around("totals", self.inner.totals, query)

    async def receipts(self, query: OrderQuery) -> list[Receipt]:
        return await self.around("receipts", self.inner.receipts, query)

    async def listing(self, query: OrderQuery) -> tuple[list[Receipt], list[StateTotal]]:
        return await self.around("listing", self.inner.listing, query)

    async def knows(self, query: OrderQuery) -> bool:
        return await self.around("knows", self.inner.knows, query)

    async def preview_by_code(self, approval_code: str) -> StoredPreview | None:
        return await self.around("preview_by_code", self.inner.preview_by_code, approval_code)

    async def waiting(self) -> list[StoredPreview]:
        return await self.around("waiting", self.inner.waiting)

    async def bought(self, caller: str, goods: Collection[tuple[str, str]]) -> list[Bought]:
        return await self.around("bought", self.inner.bought, caller, goods)

    async def approve(self, preview: StoredPreview, method: ApprovedBy = "operator") -> bool:
        return await self.around("approve", self.inner.approve, preview, method)

    async def used(self, caller: str) -> DayUsage:
        return await self.around("used", self.inner.used, caller)

    async def let_in(self, sign_in: SignIn) -> None:
        await self.around("let_in", self.inner.let_in, sign_in)

    async def sign_in(
        self, code_digest: str, session_of: Callable[[Visitor], str], expires_at: datetime
    ) -> Visitor | None:
        return await self.around("sign_in", self.inner.sign_in, code_digest, session_of, expires_at)

    async def visitor(self, session_digest: str) -> Visitor | None:
        return await self.around("visitor", self.inner.visitor, session_digest)

    async def decline(self, preview: StoredPreview, method: DeclinedIn) -> bool:
        return await self.around("decline", self.inner.decline, preview, method)

    async def claim(
        self, new: NewOrder, lease_seconds: float, judge: Callable[[DayUsage], T | None]
    ) -> ClaimResult[T]:
        return await self.around("claim", self.inner.claim, new, lease_seconds, judge)

    async def record(self, order_key: str, outcome: Outcome) -> OrderRecord:
        return await self.around("record", self.inner.record, order_key, outcome)

    async def resolve(self, order_key: str, outcome: Outcome, event: str) -> OrderRecord | None:
        return await self.around("resolve", self.inner.resolve, order_key, outcome, event)

    async def keep_reading(self, order_key: str, reading: Reading) -> None:
        await self.around("keep_reading", self.inner.keep_reading, order_key, reading)

    async def keep_message(self, order_key: str, message: VendorMessage) -> None:
        await self.around("keep_message", self.inner.keep_message, order_key, message)

    async def messages(self, order_key: str) -> tuple[VendorMessage, ...]:
        return await self.around("messages", self.inner.messages, order_key)

    async def trail(self) -> list[TrailRow]:
        return await self.around("trail", self.inner.trail)

    async def backed_up(self) -> None:
        await self.around("backed_up", self.inner.backed_up)

    async def erase(self, order_key: str) -> bool:
        return await self.around("erase", self.inner.erase, order_key)

    async def erase_old(self, retention: timedelta) -> int:
        return await self.around("erase_old", self.inner.erase_old, retention)

    async def paused(self) -> Pause | None:
        return await self.around("paused", self.inner.paused)

    async def pause(self, reason: str) -> None:
        await self.around("pause", self.inner.pause, reason)

    async def resume(self) -> bool:
        return await self.around("resume", self.inner.resume)

"""A ledger around another one: every method goes through `around`, which may look on."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import ParamSpec, TypeVar

from xportcn_tools.ledger.ledger import (
    AlreadyClaimed,
    Claimed,
    DayUsage,
    EarlierUnknown,
    Judged,
    Ledger,
    NewOrder,
    OrderQuery,
    OrderRecord,
    Outcome,
    PreviewRecord,
    Realm,
    ReferenceUsed,
)
from xportcn_tools.ledger.trail import TrailRow

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

    async def now(self) -> datetime:
        return await self.around("now", self.inner.now)

    async def store_preview(self, preview: PreviewRecord) -> None:
        await self.around("store_preview", self.inner.store_preview, preview)

    async def preview_by_token(self, token_digest: str, realm: Realm, caller: str) -> PreviewRecord | None:
        return await self.around("preview_by_token", self.inner.preview_by_token, token_digest, realm, caller)

    async def preview_of_reference(
        self, realm: Realm, caller: str, out_order_id: str
    ) -> PreviewRecord | None:
        return await self.around(
            "preview_of_reference", self.inner.preview_of_reference, realm, caller, out_order_id
        )

    async def preview_of(self, order: OrderRecord) -> PreviewRecord | None:
        return await self.around("preview_of", self.inner.preview_of, order)

    async def preview_by_code(self, realm: Realm, approval_code: str) -> PreviewRecord | None:
        return await self.around("preview_by_code", self.inner.preview_by_code, realm, approval_code)

    async def waiting(self, realm: Realm) -> list[PreviewRecord]:
        return await self.around("waiting", self.inner.waiting, realm)

    async def approve(self, preview: PreviewRecord) -> None:
        await self.around("approve", self.inner.approve, preview)

    async def is_approved(self, preview_id: str) -> bool:
        return await self.around("is_approved", self.inner.is_approved, preview_id)

    async def orders(self, query: OrderQuery) -> list[OrderRecord]:
        return await self.around("orders", self.inner.orders, query)

    async def earlier_open(self, preview: PreviewRecord) -> OrderRecord | None:
        return await self.around("earlier_open", self.inner.earlier_open, preview)

    async def reference_used(self, realm: Realm, out_order_id: str) -> bool:
        return await self.around("reference_used", self.inner.reference_used, realm, out_order_id)

    async def usage(self, realm: Realm, caller: str) -> DayUsage:
        return await self.around("usage", self.inner.usage, realm, caller)

    async def claim(
        self, new: NewOrder, lease_seconds: float, judge: Callable[[DayUsage], T | None]
    ) -> Claimed | AlreadyClaimed | ReferenceUsed | EarlierUnknown | Judged[T]:
        return await self.around("claim", self.inner.claim, new, lease_seconds, judge)

    async def record(self, order_key: str, outcome: Outcome) -> OrderRecord:
        return await self.around("record", self.inner.record, order_key, outcome)

    async def resolve(self, order_key: str, outcome: Outcome, event: str) -> OrderRecord | None:
        return await self.around("resolve", self.inner.resolve, order_key, outcome, event)

    async def settle_abandoned(self, realm: Realm) -> list[OrderRecord]:
        return await self.around("settle_abandoned", self.inner.settle_abandoned, realm)

    async def trail(self) -> list[TrailRow]:
        return await self.around("trail", self.inner.trail)

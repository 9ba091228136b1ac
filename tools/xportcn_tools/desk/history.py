"""What became of orders: from the ledger, and from the upstream where the owner lets it be read."""

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

import anyio

from xportcn_tools.desk import present, problems
from xportcn_tools.desk.lookup import OrderLookup
from xportcn_tools.desk.policy import Policy
from xportcn_tools.desk.pricing import token_digest
from xportcn_tools.ledger.ledger import Ledger, LedgerError, OrderQuery, Receipt, State, StateTotal
from xportcn_tools.results import OrderResult, wrong_argument

P = ParamSpec("P")
T = TypeVar("T")


def ledger_problems(method: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """A ledger that fails is a problem of the contract. Nothing was sent: `Sender` sees to the rest."""

    @functools.wraps(method)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(*args, **kwargs)
        except LedgerError as error:
            raise problems.ledger_unavailable(str(error)) from error

    return guarded


@dataclass(frozen=True)
class OrderList:
    """`totals`: over all that fit. `next_before`: the last one's `out_order_id`, where there are more.
    `not_ordered`: the reference is a preview's of which no order was made.
    """

    orders: list[OrderResult]
    totals: list[StateTotal]
    next_before: str | None
    not_read: str | None = None
    not_ordered: bool = False


@dataclass(frozen=True)
class OrderHistory:
    """A caller's orders. Each method raises `ProblemError` for whatever a user can meet."""

    _ledger: Ledger
    _policy: Policy
    _lookup: OrderLookup | None

    @ledger_problems
    async def listed(self, query: OrderQuery, *, refresh: bool = False) -> OrderList:
        """Orders from the ledger, newest first. `reference`: token, `out_order_id` or order id.

        `refresh`: read upstream what became of them first.
        """
        reference, limit = query.reference, query.limit or 10
        digest = token_digest(reference) if reference else ""
        query = replace(query, token_digest=digest, limit=limit + 1)
        await self._settle(query)
        found, totals = await self._ledger.listing(query)
        if reference and not found and not await self._ledger.knows(query):
            raise problems.not_found(reference)
        if (
            query.before
            and not found
            and not await self._ledger.knows(replace(query, reference=query.before))
        ):
            raise wrong_argument(
                "before",
                'names no order; give next_before of the last answer, such as "xp20261125-7K3QTR9WM2CD"',
            )
        not_read = None
        if refresh:
            not_read = await self._refresh(found[:limit])
            found, totals = await self._ledger.listing(query)
        shown = [present.receipt_result(each) for each in found[:limit]]
        more = shown[-1].out_order_id if len(found) > limit else None
        filtered = query.states or query.since or query.until or query.before
        not_ordered = bool(reference) and not found and not filtered
        return OrderList(shown, totals, more, not_read, not_ordered)

    async def _refresh(self, receipts: list[Receipt]) -> str | None:
        """Read the orders upstream, within one call's time; what was not read, in words."""
        if self._lookup is None:
            return "nothing was read upstream: the owner has not switched XPORTCN_ORDER_LOOKUP on"
        missed = [receipt.order.out_order_id for receipt in receipts if receipt.order.order_ids]
        with anyio.move_on_after(self._policy.call_timeout):
            missed = await self._lookup.refresh(receipts)
        if not missed:
            return None
        return (
            f"these orders could not be read upstream now: {', '.join(missed)} (the path of order details "
            "is not confirmed for this account, the order is not found there, or no answer came in time)"
        )

    @ledger_problems
    async def receipt(self, caller: str, reference: str) -> Receipt:
        """One order with the preview it was made of. `reference`: `out_order_id` or order id, and no token:
        what asks here is an address that clients keep.
        """
        query = OrderQuery(caller, reference=reference)
        await self._settle(query)
        found = await self._ledger.receipts(query)
        if not found:
            raise problems.not_found(reference)
        # A buyer's own number may be another order's id upstream: the own number goes first.
        return min(found, key=lambda each: each.order.out_order_id != reference)

    @ledger_problems
    async def references(self, caller: str, states: tuple[State, ...], limit: int) -> list[str]:
        """The `out_order_id`s of the newest orders, newest first; nothing is looked up upstream."""
        query = OrderQuery(caller, states=states, limit=limit)
        return [order.out_order_id for order in await self._ledger.orders(query)]

    async def _settle(self, query: OrderQuery) -> None:
        """Look unknown outcomes of a query up upstream, where that is on."""
        if self._lookup and (not query.states or set(query.states) & {"unknown", "placed"}):
            with anyio.move_on_after(self._policy.call_timeout):  # for all of them together
                for receipt in await self._ledger.receipts(replace(query, states=("unknown",))):
                    await self._lookup.settle(receipt)

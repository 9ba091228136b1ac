"""What a person may do outside the conversation: answer a preview, settle an unknown order, pause."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from xportcn_tools.canonical import fingerprint
from xportcn_tools.desk.policy import LOCAL_CALLER
from xportcn_tools.ledger.approvals import Bought
from xportcn_tools.ledger.ledger import (
    ApprovedBy,
    DayUsage,
    Ledger,
    OrderQuery,
    OrderRecord,
    Outcome,
    Receipt,
    Standing,
    StoredPreview,
)
from xportcn_tools.ledger.upkeep import Pause
from xportcn_tools.order import is_order_id
from xportcn_tools.result_shapes import timestamp
from xportcn_tools.upstream.clean import clean

MOST_ORDER_IDS = 50
"""An order has at most so many lines, each of which may become an order upstream."""


class RefusedError(Exception):
    """Why a person's command changes nothing."""


def digest_of(preview: StoredPreview) -> str:
    """Of all that is shown of a preview; it goes with the yes, which is for these terms and no others."""
    return fingerprint([preview.preview_id, asdict(preview.shown), preview.terms, asdict(preview.request)])


@dataclass(frozen=True)
class Operator:
    """The operator's rules over one ledger, for the previews and orders of every caller, or of one `caller`.

    Every method raises `LedgerError` where the ledger cannot be read or written.
    """

    ledger: Ledger
    caller: str | None = None
    method: ApprovedBy = "operator"

    async def waiting(self) -> list[StoredPreview]:
        """Previews that can still be approved, newest first."""
        return [each for each in await self.ledger.waiting() if self.caller in (None, each.caller)]

    async def bought(self, previews: Sequence[StoredPreview]) -> dict[str, list[Bought]]:
        """By caller, what it bought before of the goods of these previews (`since_last_time`)."""
        found: dict[str, list[Bought]] = {}
        for caller in {preview.caller for preview in previews}:
            lines = [line for each in previews if each.caller == caller for line in each.shown.lines]
            found[caller] = await self.ledger.bought(caller, {line.goods for line in lines})
        return found

    async def to_approve(self, code: str, shown: str | None = None) -> StoredPreview:
        """The preview with this approval code. `shown`: the digest of what the person saw (`digest_of`).

        Raises:
            RefusedError: as `to_decline`, or it is approved already.
        """
        standing = await self._open(code, shown)
        if standing.approved:
            raise RefusedError("this preview is approved already")
        return standing.preview

    async def to_decline(self, code: str, shown: str | None = None) -> StoredPreview:
        """The same for a no, which takes back a yes.

        Raises:
            RefusedError: there is none, it is void, was ordered, has expired, or is not what was shown.
        """
        return (await self._open(code, shown)).preview

    async def _open(self, code: str, shown: str | None) -> Standing:
        preview = await self.ledger.preview_by_code(code.strip().upper())
        if preview and self.caller not in (None, preview.caller):
            preview = None
        standing = preview and await self.ledger.standing(preview.token_digest, preview.caller)
        if standing is None:
            raise RefusedError(f"no preview has the code {code}")
        order, preview = standing.attempt, standing.preview
        if order:
            raise RefusedError(f"this preview was ordered already: {order.out_order_id} is {order.state}")
        if standing.restored:
            raise RefusedError(
                "this preview is void: the record of orders was copied or restored since, and an order of it"
                " may be missing here; the assistant has to preview again"
            )
        if standing.reference_used:
            raise RefusedError(f"an order has the number {preview.out_order_id} already")
        if standing.now >= preview.expires_at:
            raise RefusedError(f"this preview expired at {timestamp(preview.expires_at)}")
        if shown not in (None, digest_of(preview)):
            raise RefusedError("the terms are not those that were shown")
        return standing

    async def approve(self, code: str, shown: str | None = None) -> None:
        """Record the yes. Looked at once more: a person may take longer over it than the preview lives.

        Raises:
            RefusedError: as `to_approve`.
        """
        if not await self.ledger.approve(await self.to_approve(code, shown), self.method):
            raise RefusedError("this preview is approved already")

    async def decline(self, preview: StoredPreview) -> None:
        """Record the no. A create that waits for the answer ends with it; the token stays good.

        Raises:
            RefusedError: it was ordered meanwhile.
        """
        if not await self.ledger.decline(preview, self.method):
            raise RefusedError("this preview was ordered already: the no came too late")

    async def orders(self, limit: int) -> list[Receipt]:
        """Those of unknown outcome, then the newest of the others."""
        unknown = await self.ledger.receipts(OrderQuery(self.caller, states=("unknown",)))
        newest = await self.ledger.receipts(OrderQuery(self.caller, limit=limit))
        return unknown + [receipt for receipt in newest if receipt.order.state != "unknown"]

    async def used(self) -> DayUsage:
        """What the day holds of the caller's orders, or else of the local user's."""
        return await self.ledger.used(self.caller or LOCAL_CALLER)

    async def to_resolve(self, reference: str, order_ids: tuple[str, ...]) -> OrderRecord:
        """The order of unknown outcome with this reference, which may have become `order_ids` upstream.

        Raises:
            RefusedError: there is none, it is not unknown, the ids are too many, or one is no order id or
                another order's.
        """
        order = await self._order(reference, self.caller)
        if order.state == "sending":
            raise RefusedError(f"order {order.out_order_id} is being sent; wait until its sender has ended")
        if order.state != "unknown":
            raise RefusedError(
                f"order {order.out_order_id} is {order.state}; only an unknown one can be resolved"
            )
        if len(order_ids) > MOST_ORDER_IDS:
            raise RefusedError(f"these are {len(order_ids)} order ids; an order has {MOST_ORDER_IDS} at most")
        for order_id in order_ids:
            if not is_order_id(order_id):
                raise RefusedError(f"{order_id!r} is no order id")
            for other in await self.ledger.orders(OrderQuery(None, order_id)):
                if other.order_key == order.order_key:
                    continue  # an unknown order keeps the ids that its answer showed
                whose = (
                    f"order {other.out_order_id}" if self.caller in (None, other.caller) else "another order"
                )
                raise RefusedError(f"order id {order_id} belongs to {whose} already")
        return order

    async def _order(self, reference: str, caller: str | None) -> OrderRecord:
        """The one order with this reference; the buyer's own number goes before another's order id."""
        found = await self.ledger.orders(OrderQuery(caller, reference))
        own = [order for order in found if order.out_order_id == reference] or found
        if not own:
            raise RefusedError(
                f"no order has the reference {reference}; `xportcn-mcp orders list` lists them"
            )
        if len(own) > 1:
            numbers = ", ".join(order.out_order_id for order in own)
            raise RefusedError(f"several orders have the reference {reference}; say which one: {numbers}")
        return own[0]

    async def resolve(self, order: OrderRecord, order_ids: tuple[str, ...]) -> None:
        """End it as placed under `order_ids`, or as absent without ids.

        Raises:
            RefusedError: it is no longer unknown.
        """
        if order_ids:
            outcome = Outcome("placed", "yes", order_ids, order.request_id)
        else:
            outcome = Outcome(
                "absent",
                order.request_sent,
                (),
                order.request_id,
                order.problem_code,
                order.problem_text,
            )
        if await self.ledger.resolve(order.order_key, outcome, "resolved_by_operator") is None:
            raise RefusedError(f"order {order.out_order_id} is no longer unknown; nothing was changed")

    async def paused(self) -> Pause | None:
        """The owner's pause, while it holds."""
        return await self.ledger.paused()

    async def pause(self, reason: str = "") -> None:
        """No create leaves any process on this ledger until `resume`. Paused again: with the new reason."""
        await self.ledger.pause(clean(reason))

    async def resume(self) -> None:
        """Let creates leave again.

        Raises:
            RefusedError: it is not paused.
        """
        if not await self.ledger.resume():
            raise RefusedError("ordering is not paused")

    async def forget(self, reference: str) -> str:
        """Erase the personal data of one order; its `out_order_id`. The sums and the trail stay.

        Raises:
            RefusedError: there is no such order, or it has no outcome yet.
        """
        order = await self._order(reference, None)
        if order.state in ("sending", "unknown"):
            raise RefusedError(
                f"order {order.out_order_id} is {order.state}: its address is needed until that is settled"
            )
        await self.ledger.erase(order.order_key)
        return order.out_order_id

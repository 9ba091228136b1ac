"""What the parts of the ledger's suite share: the store under test, previews, claims and outcomes."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from hashlib import sha256
from typing import Any, Protocol
from uuid import uuid4

import anyio

from harness.clock import START, Clock
from harness.trail_check import first_break
from xportcn_tools.ledger.ledger import (
    Claimed,
    ClaimResult,
    DayUsage,
    Ledger,
    NewOrder,
    OrderQuery,
    OrderRecord,
    Outcome,
    Realm,
    Remembered,
    Standing,
    StoredPreview,
)
from xportcn_tools.ledger.trail import TrailRow
from xportcn_tools.order import (
    Address,
    Item,
    Line,
    OrderRequest,
    Pinned,
    Promotion,
    ShownGroup,
    ShownPreview,
    ShownWarning,
)

LEASE = 30.0

DAY_ENDS = datetime(2026, 3, 10, tzinfo=UTC)
"""Of the day of `START`, in UTC."""

PLACED = Outcome("placed", "yes", ("3141592653589793238", "2718281828459045235"), "REQ-1")
REJECTED = Outcome("rejected", "yes", (), "REQ-2", "upstream_rejected", "500_004: 库存不足")
NOT_SENT = Outcome("rejected", "no", problem_code="upstream_unavailable", problem_text="not connected")
UNKNOWN = Outcome("unknown", "unknown", problem_code="outcome_unknown", problem_text="no whole answer")
ABSENT = Outcome("absent", "yes", problem_text="a person looked")
OUTCOMES = {"placed": PLACED, "rejected": REJECTED, "unknown": UNKNOWN, "absent": ABSENT}

TOKEN = "pv_0123456789abcdefghijABCDEFGHIJ"
ADDRESS = {
    "full_name": "王小明",
    "mobile": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "address": "网商路 699 号 «B»",
}
SHIP_TO = "王小明, 13800138000, 浙江省杭州市网商路 699 号 «B»"


class Store(Protocol):
    """One store, empty at first. Each `view` is a ledger of its own, as another process has it."""

    clock: Clock

    def view(self, realm: Realm = "sandbox", zone: tzinfo = UTC) -> AbstractAsyncContextManager[Ledger]: ...


@asynccontextmanager
async def opened(store: Store, realm: Realm = "sandbox", zone: tzinfo = UTC) -> AsyncGenerator[Ledger]:
    """A view, under a deadline; where the block ends well, the trail must be whole."""
    with anyio.fail_after(30):
        async with store.view(realm, zone) as ledger:
            yield ledger
            assert_whole(await ledger.trail())


def assert_whole(trail: list[TrailRow]) -> None:
    assert first_break(trail) is None
    assert [row.sequence for row in trail] == list(range(1, len(trail) + 1))


def preview_of(
    number: int | str,
    *,
    now: datetime = START,
    caller: str = "local",
    reference: str | None = None,
    fen: int = 6561,
    goods: str | tuple[Item, ...] | None = None,
    place: str = "place",
    trail_seen: int = 0,
    lasts: timedelta = timedelta(days=3650),
) -> StoredPreview:
    """A preview like no other, but for what is named. `goods`: a word for some goods, or a cart."""
    return StoredPreview(
        preview_id=f"preview-{number}",
        token_digest=digest_of(f"{TOKEN}{number}"),
        approval_code=f"code-{number}",
        caller=caller,
        out_order_id=reference or f"PO-{number}",
        created_at=now,
        expires_at=now + lasts,
        payable_fen=fen,
        ship_to=SHIP_TO,
        request=OrderRequest(
            reference or f"PO-{number}",
            goods if isinstance(goods, tuple) else cart_of(goods or f"goods-{number}"),
            Address(**ADDRESS if place == "place" else ADDRESS | {"address": place, "mobile": f"no {place}"}),
            message="快！",
            dropshipping=False,
        ),
        pinned=Pinned("general", "fxassure", None),
        terms={"payable": "65.61", "商品": "塑料盒"},
        shown=ShownPreview(
            payable=fen,
            goods=fen - 600,
            freight=600,
            fees=0,
            discount=0,
            ship_to=SHIP_TO,
            flow="general",
            trade_type="fxassure",
            promotion_id=None,
            groups=(
                ShownGroup(
                    payable=fen,
                    goods=fen - 600,
                    freight=600,
                    lines=(Line("610947572360", None, "4890012345678", 2, None, fen - 600, "塑料盒"),),
                    trade_types=("fxassure",),
                    promotions=(Promotion("p-1", "满减", None, -50),),
                ),
            ),
            warnings=(ShownWarning("trade_type_open", "The platform picks one."),),
        ),
        trail_seen=trail_seen,
        salt=digest_of(f"salt {number}")[:32],
    )


def cart_of(word: str) -> tuple[Item, ...]:
    """Other goods for each word."""
    offer_id = str(int(digest_of(word)[:10], 16))
    return Item("610947572360", 2), Item("628913047512", 1, "spec", product_no="A-1"), Item(offer_id, 1)


def digest_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()


async def stored(ledger: Ledger, preview: StoredPreview) -> StoredPreview:
    """Kept as it stands."""
    return await ledger.offer(preview.caller, preview.request, lambda _: preview)


class _LookedAt(Exception):  # noqa: N818 - no error
    pass


async def remembered(ledger: Ledger, caller: str, request: OrderRequest) -> Remembered:
    """What a preview of this request has to show, and none is kept."""
    found: list[Remembered] = []

    def look(earlier: Remembered) -> StoredPreview:
        found.append(earlier)
        raise _LookedAt

    with suppress(_LookedAt):
        await ledger.offer(caller, request, look)
    return found[0]


async def standing_of(ledger: Ledger, preview: StoredPreview) -> Standing:
    """How things stand for a preview that is stored."""
    standing = await ledger.standing(preview.token_digest, preview.caller)
    assert standing is not None
    return standing


async def used_by(ledger: Ledger, caller: str = "local") -> DayUsage:
    """What the caller's day holds, as a preview of its own sees it."""
    preview = preview_of(uuid4().hex, caller=caller)
    await stored(ledger, preview)
    return (await standing_of(ledger, preview)).used


def nothing_against(used: DayUsage) -> None:
    del used


async def claim(
    ledger: Ledger,
    preview: StoredPreview,
    judge: Callable[[DayUsage], Any] = nothing_against,
    key: str | None = None,
) -> ClaimResult[Any]:
    new = NewOrder(key or f"order-{preview.preview_id}", preview, "form", approval_verified=True)
    return await ledger.claim(new, LEASE, judge)


async def claimed(ledger: Ledger, preview: StoredPreview) -> OrderRecord:
    """Store a preview that saw all there is, and claim it; it must succeed."""
    earlier = await remembered(ledger, preview.caller, preview.request)
    preview = replace(preview, trail_seen=earlier.trail_seen)
    await stored(ledger, preview)
    result = await claim(ledger, preview)
    assert isinstance(result, Claimed), result
    return result.order


async def settled(ledger: Ledger, preview: StoredPreview, outcome: Outcome) -> OrderRecord:
    order = await claimed(ledger, preview)
    return await ledger.record(order.order_key, outcome)


async def events(ledger: Ledger) -> list[str]:
    return [row.event for row in await ledger.trail()]


async def all_orders(ledger: Ledger, **filters: Any) -> list[OrderRecord]:
    return await ledger.orders(replace(OrderQuery(None), **filters))


async def order_of(ledger: Ledger, preview_id: str) -> list[OrderRecord]:
    return [order for order in await all_orders(ledger) if order.preview_id == preview_id]

"""What every driver of the ledger must do. A driver's test makes a `Store` and inherits `LedgerSuite`.

A behaviour is added here, never to one driver's test; what only one store has (files, say) is tested
beside it. After each test the trail is whole.
"""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from typing import Any, Protocol
from uuid import uuid4

import anyio
import anyio.lowlevel
import pytest

from xportcn_tools.ledger.ledger import (
    AlreadyClaimed,
    Claimed,
    DayUsage,
    EarlierUnknown,
    Ledger,
    LedgerError,
    LedgerUnavailableError,
    NewOrder,
    OrderQuery,
    OrderRecord,
    Outcome,
    Realm,
    ReferenceUsed,
    RuleBroken,
    Standing,
    StoredPreview,
)
from xportcn_tools.ledger.trail import TrailRow, first_break
from xportcn_tools.order import (
    Address,
    Item,
    OrderRequest,
    Pinned,
    ShownGroup,
    ShownLine,
    ShownPreview,
    ShownPromotion,
    ShownWarning,
)

START = datetime(2026, 3, 9, 12, 0, 0, 123456, tzinfo=UTC)
LEASE = 30.0

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


class Clock:
    """The time is what a test says."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Store(Protocol):
    """One store, empty at first. Each `view` is a ledger of its own, as another process has it."""

    clock: Clock

    def view(self, realm: Realm = "sandbox") -> AbstractAsyncContextManager[Ledger]: ...


@asynccontextmanager
async def opened(store: Store, realm: Realm = "sandbox") -> AsyncGenerator[Ledger]:
    """A view, under a deadline; where the block ends well, the trail must be whole."""
    with anyio.fail_after(30):
        async with store.view(realm) as ledger:
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
    goods: str | None = None,
    place: str = "place",
) -> StoredPreview:
    """A preview like no other, but for what is named."""
    return StoredPreview(
        preview_id=f"preview-{number}",
        token_digest=digest_of(f"{TOKEN}{number}"),
        approval_code=f"code-{number}",
        caller=caller,
        out_order_id=reference or f"PO-{number}",
        created_at=now,
        expires_at=now + timedelta(minutes=10),
        payable_fen=fen,
        ship_to=SHIP_TO,
        goods_digest=goods or f"goods-{number}",
        place_digest=place,
        request=OrderRequest(
            reference or f"PO-{number}",
            (Item("610947572360", 2), Item("628913047512", 1, "spec", product_no="A-1")),
            Address(**ADDRESS),
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
                    lines=(ShownLine("610947572360", None, "4890012345678", 2, None, fen - 600, "塑料盒"),),
                    trade_types=("fxassure",),
                    promotions=(ShownPromotion("p-1", "满减", None, -50),),
                ),
            ),
            warnings=(ShownWarning("trade_type_open", "The platform picks one."),),
        ),
    )


def digest_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()


async def standing_of(ledger: Ledger, preview: StoredPreview) -> Standing:
    """How things stand for a preview that is stored."""
    standing = await ledger.standing(preview.token_digest, preview.caller)
    assert standing is not None
    return standing


async def used_by(ledger: Ledger, caller: str = "local") -> DayUsage:
    """What the caller's day holds, as a preview of its own sees it."""
    preview = preview_of(uuid4().hex, caller=caller)
    await ledger.store_preview(preview)
    return (await standing_of(ledger, preview)).used


def nothing_against(used: DayUsage) -> None:
    del used


async def claim(
    ledger: Ledger,
    preview: StoredPreview,
    judge: Callable[[DayUsage], Any] = nothing_against,
    key: str | None = None,
) -> Claimed | AlreadyClaimed | ReferenceUsed | EarlierUnknown | RuleBroken[Any]:
    new = NewOrder(key or f"order-{preview.preview_id}", preview, "form", approval_verified=True)
    return await ledger.claim(new, LEASE, judge)


async def claimed(ledger: Ledger, preview: StoredPreview) -> OrderRecord:
    """Store and claim a preview; it must succeed."""
    await ledger.store_preview(preview)
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


class LedgerSuite:
    """Inherit it, and give a fixture `store`."""

    # Previews

    async def test_a_preview_comes_back_as_it_was_stored(self, store: Store) -> None:
        preview = preview_of(1)
        async with opened(store) as ledger, opened(store) as other:
            await ledger.store_preview(preview)
            for view in (ledger, other):
                assert await standing_of(view, preview) == Standing(
                    store.clock.now,
                    preview,
                    attempt=None,
                    approved=False,
                    used=DayUsage(0, 0),
                    twin=None,
                    reference_used=False,
                )
                assert await view.preview_by_code("code-1") == preview

    @pytest.mark.parametrize(
        ("realm", "caller", "digest"),
        [
            ("real", "local", digest_of(f"{TOKEN}1")),
            ("sandbox", "other", digest_of(f"{TOKEN}1")),
            ("sandbox", "LOCAL", digest_of(f"{TOKEN}1")),
            ("sandbox", "local", digest_of(f"{TOKEN}2")),
            ("sandbox", "local", f"{TOKEN}1"),
            ("sandbox", "local", "%"),
            ("sandbox", "local", ""),
        ],
    )
    async def test_a_preview_is_nobody_elses(
        self, store: Store, realm: Realm, caller: str, digest: str
    ) -> None:
        async with opened(store) as ledger, opened(store, realm) as other:
            await ledger.store_preview(preview_of(1))
            assert await other.standing(digest, caller) is None
            if (realm, caller) != ("sandbox", "local"):
                assert not await other.knows(OrderQuery(caller, "PO-1", digest_of(f"{TOKEN}1")))
            if realm == "real":
                assert (await other.preview_by_code("code-1"), await other.waiting()) == (None, [])

    async def test_a_reference_is_known_by_preview_token_number_and_order_id_whatever_the_filters(
        self, store: Store
    ) -> None:
        async with opened(store) as ledger:
            await ledger.store_preview(preview_of(1))
            await settled(ledger, preview_of(2), PLACED)
            known = [("PO-1", ""), ("x", digest_of(f"{TOKEN}1")), ("PO-2", ""), (PLACED.order_ids[1], "")]
            for reference, digest in known:
                for states in ((), ("unknown",)):
                    assert await ledger.knows(OrderQuery("local", reference, digest, states))
            assert not await ledger.knows(OrderQuery("local", "PO-3", digest_of(f"{TOKEN}3")))
            assert not await ledger.knows(OrderQuery("local", "x"))
            assert not await ledger.knows(OrderQuery("other", "PO-1", digest_of(f"{TOKEN}1")))

    async def test_an_order_is_found_by_the_token_of_its_preview(self, store: Store) -> None:
        async with opened(store) as ledger:
            order = await claimed(ledger, preview_of(1))
            await claimed(ledger, preview_of(2))
            query = OrderQuery("local", f"{TOKEN}1", digest_of(f"{TOKEN}1"))
            assert await ledger.orders(query) == [order]
            assert await ledger.orders(replace(query, caller="other")) == []
            assert await ledger.orders(replace(query, states=("placed",))) == []

    async def test_the_earlier_orders_alike_are_remembered_newest_first_with_the_time(
        self, store: Store
    ) -> None:
        async with opened(store) as ledger, opened(store, "real") as real:
            first = await settled(ledger, preview_of(1, goods="goods"), PLACED)
            await claimed(ledger, preview_of(2, goods="other"))
            await claimed(ledger, preview_of(3, goods="goods", place="elsewhere"))
            await claimed(ledger, preview_of(4, goods="goods", caller="other"))
            await claimed(real, preview_of(5, goods="goods"))
            store.clock.advance(5)
            second = await settled(ledger, preview_of(6, goods="goods"), REJECTED)
            found = await ledger.remembered("local", "goods", "place")
            assert found == (store.clock.now, [second, first])

    async def test_the_preview_of_an_order_is_the_one_that_was_claimed_not_the_newest(
        self, store: Store
    ) -> None:
        async with opened(store) as ledger, opened(store) as other:
            first = preview_of(1, reference="PO-same")
            order = await claimed(ledger, first)
            await ledger.store_preview(preview_of(2, now=START + timedelta(seconds=5), reference="PO-same"))
            for view in (ledger, other):
                assert await view.preview_of(order) == first
            assert await ledger.preview_of(replace(order, caller="other")) is None
            assert await ledger.preview_of(replace(order, preview_id="preview-3")) is None

    # Claims

    async def test_a_claim_is_had_once_and_every_view_sees_it(self, store: Store) -> None:
        preview = preview_of(1)
        async with opened(store) as ledger, opened(store) as other:
            order = await claimed(ledger, preview)
            assert order == OrderRecord(
                order_key="order-preview-1",
                preview_id="preview-1",
                caller="local",
                out_order_id="PO-1",
                state="sending",
                day="2026-03-09",
                payable_fen=6561,
                ship_to=SHIP_TO,
                goods_digest="goods-1",
                place_digest="place",
                approval_method="form",
                approval_verified=True,
                created_at=START,
                updated_at=START,
                lease_until=START + timedelta(seconds=LEASE),
            )
            for view in (ledger, other):
                again = NewOrder("another-key", preview, "off", approval_verified=False)
                assert await view.claim(again, LEASE, nothing_against) == AlreadyClaimed(order)
            assert await all_orders(other) == [order]
            assert await events(other) == ["claimed"]

    @pytest.mark.parametrize("outcome", [PLACED, REJECTED, NOT_SENT, UNKNOWN, ABSENT], ids=lambda o: o.state)
    async def test_a_preview_stays_claimed_whatever_came_of_it(self, store: Store, outcome: Outcome) -> None:
        async with opened(store) as ledger:
            preview = preview_of(1)
            order = await settled(ledger, preview, outcome)
            store.clock.advance(400 * 86400)
            assert await claim(ledger, preview) == AlreadyClaimed(order)

    @pytest.mark.parametrize("caller", ["local", "other"])
    @pytest.mark.parametrize("outcome", [None, PLACED, REJECTED, NOT_SENT, UNKNOWN, ABSENT])
    async def test_a_reference_serves_one_attempt_whoever_made_it_and_whatever_came_of_it(
        self, store: Store, outcome: Outcome | None, caller: str
    ) -> None:
        async with opened(store) as ledger, opened(store) as other:
            first = await claimed(ledger, preview_of(1, reference="PO-same"))
            if outcome:
                await ledger.record(first.order_key, outcome)
            second = preview_of(2, reference="PO-same", caller=caller)
            await other.store_preview(second)
            before = await events(other)
            assert await claim(other, second) == ReferenceUsed()
            assert await events(other) == before
            assert len(await all_orders(other)) == 1

    async def test_a_reference_is_used_once_an_attempt_has_it_and_in_its_realm(self, store: Store) -> None:
        async with opened(store) as ledger:
            await ledger.store_preview(preview_of(1))
            same = preview_of(2, reference="PO-1", caller="other")
            await ledger.store_preview(same)
            assert not (await standing_of(ledger, same)).reference_used
            await claim(ledger, preview_of(1))
            assert (await standing_of(ledger, same)).reference_used
            async with opened(store, "real") as real:
                elsewhere = preview_of(3, reference="PO-1")
                await real.store_preview(elsewhere)
                assert not (await standing_of(real, elsewhere)).reference_used
                assert isinstance(await claim(real, elsewhere), Claimed)

    @pytest.mark.parametrize("clock_is_off_by", [-60, 0, 60])
    @pytest.mark.parametrize("previewed_before", [True, False])
    async def test_an_order_under_way_blocks_what_was_previewed_after_its_claim(
        self, store: Store, previewed_before: bool, clock_is_off_by: int
    ) -> None:
        """Two orders that were both previewed before either was sent are meant; a preview made later is a twin.

        What the replica that previewed takes for the time makes no difference.
        """
        async with opened(store) as ledger, opened(store) as other:
            second = preview_of(2, goods="goods", now=START + timedelta(seconds=clock_is_off_by))
            if previewed_before:
                await other.store_preview(second)
            sending = await claimed(ledger, preview_of(1, goods="goods"))
            if not previewed_before:
                await other.store_preview(second)
            found = None if previewed_before else sending
            assert (await standing_of(other, second)).twin == found
            result = await claim(other, second)
            assert isinstance(result, Claimed) if previewed_before else result == EarlierUnknown(sending)

    async def test_no_order_is_a_twin_of_itself(self, store: Store) -> None:
        async with opened(store) as ledger:
            first = preview_of(1)
            order = await claimed(ledger, first)
            await ledger.record(order.order_key, UNKNOWN)
            assert (await standing_of(ledger, first)).twin is None

    @pytest.mark.parametrize("outcome", [PLACED, REJECTED, ABSENT, UNKNOWN])
    async def test_an_unknown_order_and_no_other_blocks_the_same_goods_to_the_same_place(
        self, store: Store, outcome: Outcome
    ) -> None:
        async with opened(store) as ledger, opened(store) as other:
            earlier = await claimed(ledger, preview_of(1, goods="goods"))
            earlier = await ledger.record(earlier.order_key, outcome)
            second = preview_of(2, goods="goods")
            await other.store_preview(second)
            result = await claim(other, second)
            if outcome is UNKNOWN:
                assert result == EarlierUnknown(earlier)
                assert await events(other) == ["claimed", "unknown"]
            else:
                assert isinstance(result, Claimed)

    async def test_an_unknown_order_blocks_no_other_goods_place_caller_or_realm(self, store: Store) -> None:
        async with opened(store) as ledger:
            await settled(ledger, preview_of(1, goods="goods"), UNKNOWN)
            await claimed(ledger, preview_of(2, goods="other"))
            await claimed(ledger, preview_of(3, goods="goods", place="elsewhere"))
            await claimed(ledger, preview_of(4, goods="goods", caller="other"))
            async with opened(store, "real") as real:
                await claimed(real, preview_of(5, goods="goods"))

    @pytest.mark.parametrize("outcome", [PLACED, REJECTED, ABSENT])
    async def test_a_block_ends_with_the_unknown(self, store: Store, outcome: Outcome) -> None:
        async with opened(store) as ledger:
            earlier = await settled(ledger, preview_of(1, goods="goods"), UNKNOWN)
            second = preview_of(2, goods="goods")
            await ledger.store_preview(second)
            assert isinstance(await claim(ledger, second), EarlierUnknown)
            await ledger.record(earlier.order_key, outcome)
            assert isinstance(await claim(ledger, second), Claimed)

    async def test_a_claim_finds_out_itself_that_an_earlier_sender_is_gone(self, store: Store) -> None:
        async with opened(store) as ledger, opened(store) as other:
            await claimed(ledger, preview_of(1, goods="goods"))
            second = preview_of(2, goods="goods")
            await other.store_preview(second)
            store.clock.advance(LEASE + 1)
            result = await claim(other, second)
            assert isinstance(result, EarlierUnknown)
            assert result.order.state == "unknown"
            assert await all_orders(ledger) == [result.order]

    async def test_a_claim_whose_preview_is_not_stored_is_refused(self, store: Store) -> None:
        async with opened(store) as ledger:
            with pytest.raises(LedgerError):
                await claim(ledger, preview_of(1))
            assert await all_orders(ledger) == []
            assert await events(ledger) == []

    @pytest.mark.parametrize("text", ["\ud800"])
    async def test_a_text_that_cannot_be_stored_is_refused_whole(self, store: Store, text: str) -> None:
        async with opened(store) as ledger:
            order = await claimed(ledger, preview_of(1))
            before = await ledger.trail()
            with pytest.raises(LedgerUnavailableError):
                await ledger.record(order.order_key, replace(PLACED, problem_text=text))
            assert await ledger.trail() == before
            assert (await ledger.record(order.order_key, PLACED)).state == "placed"

    # The caller's own rule

    async def test_the_rule_hears_of_what_counts_and_of_nothing_else(self, store: Store) -> None:
        async with opened(store) as ledger:
            await claimed(ledger, preview_of("sending", fen=1))
            for number, (state, fen) in enumerate(
                [("placed", 10), ("unknown", 100), ("rejected", 1000), ("absent", 10000)]
            ):
                await settled(ledger, preview_of(f"{number}-{state}", fen=fen), OUTCOMES[state])
            await claimed(ledger, preview_of("others", caller="other", fen=100000))
            async with opened(store, "real") as real:
                await claimed(real, preview_of("real", fen=1000000))
                assert (await used_by(real), await used_by(real, "other")) == (
                    DayUsage(1000000, 1),
                    DayUsage(0, 0),
                )
            heard: list[DayUsage] = []
            new = preview_of("new", fen=7)
            await ledger.store_preview(new)
            assert isinstance(await claim(ledger, new, heard.append), Claimed)
            assert heard == [DayUsage(111, 3)] == [DayUsage(118 - 7, 4 - 1)]
            assert await used_by(ledger) == DayUsage(118, 4)
            assert await used_by(ledger, "other") == DayUsage(100000, 1)

    async def test_the_day_is_the_utc_day_of_the_claim(self, store: Store) -> None:
        store.clock.now = datetime(2026, 3, 9, 23, 59, 59, 999999, tzinfo=UTC)
        async with opened(store) as ledger:
            late = await claimed(ledger, preview_of(1, fen=100))
            assert late.day == "2026-03-09"
            assert await used_by(ledger) == DayUsage(100, 1)
            store.clock.advance(0.000001)
            heard: list[DayUsage] = []
            await ledger.record(late.order_key, PLACED)
            second = preview_of(2, fen=5, now=store.clock.now - timedelta(seconds=30))
            await ledger.store_preview(second)
            result = await claim(ledger, second, heard.append)
            assert isinstance(result, Claimed)
            assert result.order.day == "2026-03-10"
            assert heard == [DayUsage(0, 0)]
            assert await used_by(ledger) == DayUsage(5, 1)
            store.clock.advance(-1)  # a clock that is set back finds that day as it was
            assert await used_by(ledger) == DayUsage(100, 1)

    async def test_a_verdict_comes_back_and_leaves_no_trace(self, store: Store) -> None:
        async with opened(store) as ledger, opened(store) as other:
            preview = preview_of(1)
            await ledger.store_preview(preview)
            before = await ledger.trail()
            verdict = {"over": "the day's sum"}
            assert await claim(ledger, preview, lambda used: verdict) == RuleBroken(verdict)
            assert await all_orders(other) == []
            assert await other.trail() == before
            standing = await standing_of(other, preview)
            assert (standing.reference_used, standing.used) == (False, DayUsage(0, 0))
            assert isinstance(await claim(other, preview), Claimed)

    async def test_a_rule_that_fails_comes_out_as_it_is_and_leaves_no_trace(self, store: Store) -> None:
        def broken(used: DayUsage) -> None:
            raise LookupError("a defect of the rule")

        async with opened(store) as ledger, opened(store) as other:
            preview = preview_of(1)
            await ledger.store_preview(preview)
            with pytest.raises(LookupError, match="defect"):
                await claim(ledger, preview, broken)
            assert await events(other) == []
            assert isinstance(await claim(other, preview), Claimed)

    # Races

    async def test_of_many_claims_at_once_exactly_one_is_had(self, store: Store) -> None:
        preview = preview_of(1)
        results: list[object] = []
        async with opened(store) as ledger, opened(store) as other:
            await ledger.store_preview(preview)

            async def try_it(view: Ledger, number: int) -> None:
                results.append(await claim(view, preview, key=f"order-{number}"))

            async with anyio.create_task_group() as tasks:
                for number in range(60):
                    tasks.start_soon(try_it, (ledger, other)[number % 2], number)
            assert Counter(type(result) for result in results) == {Claimed: 1, AlreadyClaimed: 59}
            orders = {result.order for result in results if isinstance(result, Claimed | AlreadyClaimed)}
            assert [*orders] == await all_orders(ledger)
            assert (await events(ledger)).count("claimed") == 1

    async def test_of_many_previews_with_one_reference_exactly_one_is_had(self, store: Store) -> None:
        results: list[object] = []
        async with opened(store) as ledger, opened(store) as other:
            previews = [preview_of(number, reference="PO-same") for number in range(30)]
            for preview in previews:
                await ledger.store_preview(preview)

            async def try_it(view: Ledger, preview: StoredPreview) -> None:
                results.append(await claim(view, preview))

            async with anyio.create_task_group() as tasks:
                for number, preview in enumerate(previews):
                    tasks.start_soon(try_it, (ledger, other)[number % 2], preview)
            assert Counter(type(result) for result in results) == {Claimed: 1, ReferenceUsed: 29}
            assert len(await all_orders(ledger)) == 1

    async def test_claims_at_once_never_pass_a_limit(self, store: Store) -> None:
        results: list[object] = []

        def rule(used: DayUsage) -> str | None:
            return "over" if used.fen + 1000 > 7500 or used.orders + 1 > 50 else None

        async with opened(store) as ledger, opened(store) as other:
            previews = [preview_of(number, fen=1000) for number in range(40)]
            for preview in previews:
                await ledger.store_preview(preview)

            async def try_it(view: Ledger, preview: StoredPreview) -> None:
                results.append(await claim(view, preview, rule))

            async with anyio.create_task_group() as tasks:
                for number, preview in enumerate(previews):
                    tasks.start_soon(try_it, (ledger, other)[number % 2], preview)
            assert Counter(type(result) for result in results) == {Claimed: 7, RuleBroken: 33}
            assert await used_by(ledger) == DayUsage(7000, 7)

    async def test_writes_of_every_kind_at_once_leave_one_unbroken_trail(self, store: Store) -> None:
        async with opened(store) as ledger, opened(store) as other:

            async def one(view: Ledger, number: int) -> None:
                order = await claimed(view, preview_of(number))
                await view.record(order.order_key, [PLACED, REJECTED, UNKNOWN][number % 3])
                await all_orders(view)

            async with anyio.create_task_group() as tasks:
                for number in range(24):
                    tasks.start_soon(one, (ledger, other)[number % 2], number)
            counted = Counter(await events(ledger))
            assert counted == {"claimed": 24, "placed": 8, "rejected": 8, "unknown": 8}

    # Outcomes

    @pytest.mark.parametrize(
        "outcome", [PLACED, REJECTED, NOT_SENT, UNKNOWN], ids=["placed", "rejected", "not-sent", "unknown"]
    )
    async def test_an_outcome_is_recorded_with_one_row_and_every_view_sees_it(
        self, store: Store, outcome: Outcome
    ) -> None:
        async with opened(store) as ledger, opened(store) as other:
            order = await claimed(ledger, preview_of(1))
            store.clock.advance(3)
            recorded = await ledger.record(order.order_key, outcome)
            assert recorded == replace(order, updated_at=store.clock.now, **vars(outcome))
            assert await all_orders(other) == [recorded]
            assert await events(other) == ["claimed", outcome.state]

    @pytest.mark.parametrize("outcome", [PLACED, REJECTED, NOT_SENT, UNKNOWN])
    async def test_a_sender_that_comes_late_still_has_the_last_word(
        self, store: Store, outcome: Outcome
    ) -> None:
        async with opened(store) as ledger, opened(store) as other:
            order = await claimed(ledger, preview_of(1))
            store.clock.advance(LEASE + 1)
            (given_up,) = await all_orders(other)
            assert given_up.state == "unknown"
            recorded = await ledger.record(order.order_key, outcome)
            assert recorded == replace(given_up, **vars(outcome))
            assert await events(other) == ["claimed", "abandoned", outcome.state]

    @pytest.mark.parametrize("late", [PLACED, REJECTED, UNKNOWN, ABSENT], ids=lambda o: o.state)
    @pytest.mark.parametrize("first", [PLACED, REJECTED, ABSENT], ids=lambda o: o.state)
    async def test_an_outcome_that_stands_is_kept_and_what_contradicts_it_is_in_the_trail(
        self, store: Store, first: Outcome, late: Outcome
    ) -> None:
        async with opened(store) as ledger, opened(store) as other:
            order = await settled(ledger, preview_of(1), first)
            before = await ledger.trail()
            store.clock.advance(5)
            assert await other.record(order.order_key, late) == order
            assert await all_orders(ledger) == [order]
            rows = (await ledger.trail())[len(before) :]
            if first is late:  # a record that was tried again: it had been written after all
                assert rows == []
                return
            (row,) = rows
            assert (row.event, row.subject) == ("contradicted", "PO-1")
            body = json.loads(row.body)
            assert (body["kept"], body["state"]) == (first.state, late.state)
            assert body["order_ids"] == list(late.order_ids)

    async def test_other_order_ids_than_those_that_stand_are_not_lost(self, store: Store) -> None:
        async with opened(store) as ledger:
            order = await settled(ledger, preview_of(1), PLACED)
            others = replace(PLACED, order_ids=("1111111111111111111",))
            assert await ledger.record(order.order_key, others) == order
            row = (await ledger.trail())[-1]
            assert row.event == "contradicted"
            assert "1111111111111111111" in row.body

    async def test_an_outcome_of_no_attempt_is_refused(self, store: Store) -> None:
        async with opened(store) as ledger:
            with pytest.raises(LedgerError, match="no longer"):
                await ledger.record("nobody", PLACED)
            assert await events(ledger) == []

    # Senders that are gone

    async def test_an_attempt_is_given_up_after_its_lease_and_never_before(self, store: Store) -> None:
        async with opened(store) as ledger, opened(store) as other:
            order = await claimed(ledger, preview_of(1))
            for seconds in (0, LEASE - 0.000001, 0.000001, -3600, 3600):
                store.clock.advance(seconds)
                assert await all_orders(other) == [order]
            assert store.clock.now == order.lease_until
            store.clock.advance(0.000001)
            async with opened(store, "real") as real:
                assert await all_orders(real) == []
                assert await events(ledger) == ["claimed"]
            (given_up,) = await all_orders(other)
            assert (given_up.state, given_up.request_sent) == ("unknown", "unknown")
            assert given_up.problem_code == "outcome_unknown"
            assert given_up.updated_at == store.clock.now
            assert await all_orders(ledger) == [given_up]
            assert await events(ledger) == ["claimed", "abandoned"]

    async def test_all_that_are_gone_are_given_up_at_once_and_no_other(self, store: Store) -> None:
        async with opened(store) as ledger:
            gone = [await claimed(ledger, preview_of(n, caller=f"caller-{n}")) for n in range(3)]
            await settled(ledger, preview_of("placed"), PLACED)
            store.clock.advance(LEASE)
            alive = await claimed(ledger, preview_of("alive"))
            store.clock.advance(1)
            given_up = await all_orders(ledger, states=("unknown",))
            assert {order.order_key for order in given_up} == {order.order_key for order in gone}
            assert await all_orders(ledger, states=("sending",)) == [alive]
            assert len(await all_orders(ledger, states=("placed",))) == 1
            assert (await events(ledger)).count("abandoned") == 3

    @pytest.mark.parametrize("reader", ["standing", "remembered", "orders", "knows"])
    async def test_every_read_of_orders_first_ends_those_whose_sender_is_gone(
        self, store: Store, reader: str
    ) -> None:
        async with opened(store) as ledger:
            preview = preview_of(1)
            await claimed(ledger, preview)
            store.clock.advance(LEASE + 1)
            if reader == "standing":
                attempt = (await standing_of(ledger, preview)).attempt
                assert attempt is not None
                assert attempt.state == "unknown"
            elif reader == "remembered":
                _, (order,) = await ledger.remembered("local", "goods-1", "place")
                assert order.state == "unknown"
            elif reader == "orders":
                assert await all_orders(ledger, states=("sending",)) == []
            else:
                assert await ledger.knows(OrderQuery("local", "PO-1"))
            assert await events(ledger) == ["claimed", "abandoned"]

    async def test_many_who_look_at_once_give_an_attempt_up_once(self, store: Store) -> None:
        async with opened(store) as ledger, opened(store) as other:
            await claimed(ledger, preview_of(1))
            store.clock.advance(LEASE + 1)
            async with anyio.create_task_group() as tasks:
                for number in range(20):
                    tasks.start_soon(all_orders, (ledger, other)[number % 2])
            assert (await events(ledger)).count("abandoned") == 1

    # Queries

    async def test_orders_come_newest_first_and_as_many_as_asked_for(self, store: Store) -> None:
        async with opened(store) as ledger:
            for number in (3, 1, 4, 2):
                store.clock.now = START + timedelta(minutes=number)
                await claimed(ledger, preview_of(number))
            found = await all_orders(ledger)
            assert [order.preview_id[-1] for order in found] == ["4", "3", "2", "1"]
            assert all(newer.created_at > older.created_at for newer, older in pairwise(found))
            assert await all_orders(ledger, limit=2) == found[:2]

    async def test_every_filter_of_a_query_must_hold(self, store: Store) -> None:
        async with opened(store) as ledger:
            one = await settled(ledger, preview_of(1, goods="g", place="p"), PLACED)
            two = await settled(ledger, preview_of(2, goods="g", place="q"), REJECTED)
            three = await claimed(ledger, preview_of(3, goods="h", place="p", caller="other"))
            nobody: set[OrderRecord] = set()
            cases: list[tuple[dict[str, Any], set[OrderRecord]]] = [
                ({}, {one, two, three}),
                ({"caller": "local"}, {one, two}),
                ({"caller": "other"}, {three}),
                ({"caller": "nobody"}, nobody),
                ({"states": ("placed", "sending")}, {one, three}),
                ({"states": ("unknown",)}, nobody),
                ({"states": ("placed",), "caller": "other"}, nobody),
                ({"reference": "PO-3"}, {three}),
                ({"reference": "PO-3", "caller": "local"}, nobody),
                ({"reference": "PO-4"}, nobody),
                ({"reference": "PO-2", "states": ("placed",)}, nobody),
            ]
            for filters, expected in cases:
                assert set(await all_orders(ledger, **filters)) == expected, filters
            async with opened(store, "real") as other:
                real = await claimed(other, preview_of(4))
                assert await all_orders(other) == [real]
            assert real not in await all_orders(ledger)

    async def test_an_order_is_found_by_each_of_its_ids_and_by_no_part_of_one(self, store: Store) -> None:
        async with opened(store) as ledger:
            order = await settled(ledger, preview_of(1), PLACED)
            await settled(ledger, preview_of(2), replace(PLACED, order_ids=("31415926535897932",)))
            for reference in (*PLACED.order_ids, "PO-1"):
                assert await all_orders(ledger, reference=reference) == [order]
            for reference in ("314159265358979323", "3141592653589793239", "%", "", '"', "po-1", "[]"):
                assert await all_orders(ledger, reference=reference) == []

    # The trail

    async def test_texts_of_every_language_come_back_letter_for_letter(self, store: Store) -> None:
        text = "中文，日本語、한국어 – é e\u0301 🧧👨‍👩‍👧 'quoted\" \\ \n\t; DROP TABLE orders; --"
        async with opened(store) as ledger:
            preview = preview_of(1)
            request = replace(preview.request, message=text, items=(Item(text, 2**53, text),))
            preview = replace(preview, ship_to=text, request=request, caller=text, terms={text: text})
            await ledger.store_preview(preview)
            assert (await standing_of(ledger, preview)).preview == preview
            result = await claim(ledger, preview)
            assert isinstance(result, Claimed)
            recorded = await ledger.record(result.order.order_key, replace(UNKNOWN, problem_text=text))
            assert (recorded.ship_to, recorded.problem_text, recorded.caller) == (text, text, text)
            assert await all_orders(ledger, caller=text) == [recorded]

    async def test_the_trail_holds_sums_and_digests_and_neither_token_nor_address(self, store: Store) -> None:
        async with opened(store) as ledger:
            preview = preview_of(1)
            order = await settled(ledger, preview, UNKNOWN)
            await ledger.record(order.order_key, PLACED)
            await ledger.record(order.order_key, REJECTED)
            trail = await ledger.trail()
            texts = "\n".join(f"{row.subject} {row.body}" for row in trail)
            private = (*ADDRESS.values(), SHIP_TO, TOKEN, preview.token_digest, preview.approval_code, "库存")
            assert [word for word in private if word in texts] == []
            assert "6561" in texts
            assert PLACED.order_ids[0] in texts
            assert {row.subject for row in trail} == {"PO-1"}
            assert [row.event for row in trail] == [
                "claimed",
                "unknown",
                "placed",
                "contradicted",
            ]
            assert all(row.at == "2026-03-09T12:00:00.123456Z" for row in trail)

    # Whole or not at all

    @pytest.mark.parametrize("how", ["scope", "task"])
    async def test_a_claim_cancelled_in_its_middle_is_there_whole_or_not_at_all(
        self, store: Store, how: str
    ) -> None:
        loop = asyncio.get_running_loop()
        async with opened(store) as ledger, opened(store) as other:
            preview = preview_of(1)
            await ledger.store_preview(preview)
            judging = threading.Event()

            def cancelling(used: DayUsage) -> None:
                judging.set()
                loop.call_soon_threadsafe(cancel)

            if how == "scope":
                with anyio.CancelScope() as scope:
                    cancel: Callable[[], Any] = scope.cancel
                    await claim(ledger, preview, cancelling)
            else:
                task = asyncio.create_task(claim(ledger, preview, cancelling))
                cancel = task.cancel
                await asyncio.wait([task])
                if not task.cancelled():
                    assert isinstance(task.result(), Claimed)
            assert judging.is_set()
            await check_whole(ledger, other, preview)

    @pytest.mark.parametrize("ticks", range(6))
    async def test_writes_cancelled_at_any_moment_are_there_whole_or_not_at_all(
        self, store: Store, ticks: int
    ) -> None:
        async with opened(store) as ledger, opened(store) as other:
            first, second, third = preview_of(1), preview_of(2), preview_of(3)
            order = await claimed(ledger, first)
            await ledger.store_preview(second)

            async def cancelled_soon(write: Callable[..., Any], *args: Any) -> None:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(write, *args)
                    for _ in range(ticks):
                        await anyio.lowlevel.checkpoint()
                    tasks.cancel_scope.cancel()

            await cancelled_soon(ledger.record, order.order_key, PLACED)
            await cancelled_soon(claim, ledger, second)
            await cancelled_soon(ledger.store_preview, third)
            (now,) = await order_of(other, "preview-1")
            assert (await events(other)).count("placed") == (now.state == "placed")
            assert now.order_ids == (PLACED.order_ids if now.state == "placed" else ())
            stored = await other.standing(third.token_digest, "local")
            assert stored is None or stored.preview == third
            await check_whole(ledger, other, second)


async def check_whole(ledger: Ledger, other: Ledger, preview: StoredPreview) -> None:
    """The claim of this preview has row and trail row, or neither, and the ledger works on."""
    await claimed(ledger, preview_of("after"))  # writers queue: what was cancelled is over by now
    rows = await order_of(other, preview.preview_id)
    claims = [
        row for row in await other.trail() if (row.event, row.subject) == ("claimed", preview.out_order_id)
    ]
    assert len(rows) == len(claims) <= 1
    result = await claim(ledger, preview)
    assert isinstance(result, AlreadyClaimed if rows else Claimed)
    assert result.order.state == "sending"

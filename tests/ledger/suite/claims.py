"""A claim: once for a preview, once for a reference, and never beside an open twin."""

from dataclasses import replace
from datetime import timedelta

import pytest

from harness.clock import START
from ledger.suite.stores import (
    ABSENT,
    LEASE,
    NOT_SENT,
    PLACED,
    REJECTED,
    SHIP_TO,
    UNKNOWN,
    Store,
    all_orders,
    claim,
    claimed,
    events,
    nothing_against,
    opened,
    preview_of,
    remembered,
    settled,
    standing_of,
    stored,
)
from xportcn_tools.ledger.ledger import (
    AlreadyClaimed,
    Claimed,
    EarlierUnknown,
    Expired,
    LedgerError,
    LedgerUnavailableError,
    NewOrder,
    OrderRecord,
    Outcome,
    ReferenceUsed,
)
from xportcn_tools.order import Item

RED = "a" * 32


def mugs(spec_id: str | None) -> tuple[Item, ...]:
    return Item("610947572360", 2, spec_id), Item("628913047512", 1)


class ClaimSuite:
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
            await stored(other, second)
            before = await events(other)
            assert await claim(other, second) == ReferenceUsed()
            assert await events(other) == before
            assert len(await all_orders(other)) == 1

    async def test_a_reference_is_used_once_an_attempt_has_it_and_in_its_realm(self, store: Store) -> None:
        async with opened(store) as ledger:
            await stored(ledger, preview_of(1))
            same = preview_of(2, reference="PO-1", caller="other")
            await stored(ledger, same)
            assert not (await standing_of(ledger, same)).reference_used
            await claim(ledger, preview_of(1))
            assert (await standing_of(ledger, same)).reference_used
            async with opened(store, "real") as real:
                elsewhere = preview_of(3, reference="PO-1")
                await stored(real, elsewhere)
                assert not (await standing_of(real, elsewhere)).reference_used
                assert isinstance(await claim(real, elsewhere), Claimed)

    @pytest.mark.parametrize("clock_is_off_by", [-60, 0, 60])
    @pytest.mark.parametrize("seen", ["nothing", "the claim", "the end"])
    @pytest.mark.parametrize("outcome", [PLACED, REJECTED, ABSENT])
    async def test_a_twin_is_what_is_open_or_was_placed_after_what_the_preview_saw(
        self, store: Store, outcome: Outcome, seen: str, clock_is_off_by: int
    ) -> None:
        """What the replica that previewed takes for the time makes no difference."""
        async with opened(store) as ledger, opened(store) as other:
            now = START + timedelta(seconds=clock_is_off_by)
            seen_by = {"nothing": 0, "the claim": 1, "the end": 2}[seen]
            second = preview_of(2, goods="goods", now=now, trail_seen=seen_by)
            await stored(other, second)
            first = await claimed(ledger, preview_of(1, goods="goods"))
            assert (await standing_of(other, second)).twin == first
            assert await claim(other, second) == EarlierUnknown(first)
            first = await ledger.record(first.order_key, outcome)
            counts = outcome is PLACED and seen != "the end"
            assert (await standing_of(other, second)).twin == (first if counts else None)
            result = await claim(other, second)
            assert result == EarlierUnknown(first) if counts else isinstance(result, Claimed)

    async def test_a_preview_whose_time_is_over_by_the_ledgers_clock_is_not_claimed(
        self, store: Store
    ) -> None:
        async with opened(store) as ledger:
            late, in_time = (preview_of(number, lasts=timedelta(minutes=1)) for number in (1, 2))
            for preview in (late, in_time):
                await stored(ledger, preview)
            store.clock.advance(59.9)
            assert isinstance(await claim(ledger, in_time), Claimed)
            store.clock.advance(0.1)
            assert await claim(ledger, late) == Expired()
            assert isinstance(await claim(ledger, in_time), AlreadyClaimed)
            assert await events(ledger) == ["claimed"]

    async def test_an_open_order_blocks_before_a_placed_one_is_shown(self, store: Store) -> None:
        async with opened(store) as ledger:
            second = preview_of(2, goods="goods")
            await stored(ledger, second)
            unknown = await settled(ledger, preview_of(1, goods="goods"), UNKNOWN)
            placed = preview_of(3, goods="goods", place="elsewhere")
            await settled(ledger, placed, PLACED)
            alike = replace(preview_of(4, goods="goods"), request=second.request)
            await stored(ledger, alike)
            assert await claim(ledger, alike) == EarlierUnknown(unknown)

    @pytest.mark.parametrize("other", ["PO-1", "po-1", "Po-1"])
    async def test_a_reference_is_one_in_either_case(self, store: Store, other: str) -> None:
        async with opened(store) as ledger:
            await claimed(ledger, preview_of(1, reference="PO-1"))
            again = preview_of(2, reference=other)
            await stored(ledger, again)
            assert (await standing_of(ledger, again)).reference_used
            assert await claim(ledger, again) == ReferenceUsed()
            (found,) = await all_orders(ledger, reference=other)
            assert found.out_order_id == "PO-1"

    async def test_no_order_is_a_twin_of_itself(self, store: Store) -> None:
        async with opened(store) as ledger:
            first = preview_of(1)
            order = await claimed(ledger, first)
            await ledger.record(order.order_key, UNKNOWN)
            assert (await standing_of(ledger, first)).twin is None

    async def test_a_claim_that_an_unknown_order_blocks_leaves_nothing_behind(self, store: Store) -> None:
        async with opened(store) as ledger, opened(store) as other:
            earlier = await settled(ledger, preview_of(1, goods="goods"), UNKNOWN)
            second = preview_of(2, goods="goods", trail_seen=2)
            await stored(other, second)
            assert await claim(other, second) == EarlierUnknown(earlier)
            assert await events(other) == ["claimed", "unknown"]

    async def test_an_unknown_order_blocks_no_other_goods_place_caller_or_realm(self, store: Store) -> None:
        async with opened(store) as ledger:
            await settled(ledger, preview_of(1, goods="goods"), UNKNOWN)
            await claimed(ledger, preview_of(2, goods="other"))
            await claimed(ledger, preview_of(3, goods="goods", place="elsewhere"))
            await claimed(ledger, preview_of(4, goods="goods", caller="other"))
            async with opened(store, "real") as real:
                await claimed(real, preview_of(5, goods="goods"))

    @pytest.mark.parametrize("outcome", [None, UNKNOWN, PLACED])
    @pytest.mark.parametrize(
        ("first", "second"), [(None, RED), (RED, None), (None, None), (RED, RED.upper())]
    )
    async def test_a_spec_that_one_of_two_previews_does_not_know_makes_no_other_goods(
        self, store: Store, first: str | None, second: str | None, outcome: Outcome | None
    ) -> None:
        one, two = (preview_of(at, goods=mugs(spec)) for at, spec in enumerate((first, second)))
        async with opened(store) as ledger, opened(store) as other:
            await stored(other, two)
            order = await claimed(ledger, one)
            if outcome:
                order = await ledger.record(order.order_key, outcome)
            assert (await remembered(ledger, "local", two.request)).alike == [order]
            assert (await standing_of(other, two)).twin == order
            assert await claim(other, two) == EarlierUnknown(order)

    @pytest.mark.parametrize("outcome", [None, UNKNOWN, PLACED])
    async def test_another_option_of_the_same_product_is_ordered_beside_the_first(
        self, store: Store, outcome: Outcome | None
    ) -> None:
        red, blue, unknown = (
            preview_of(at, goods=mugs(spec)) for at, spec in enumerate((RED, "b" * 32, None))
        )
        async with opened(store) as ledger:
            for preview in (blue, unknown):
                await stored(ledger, preview)
            order = await claimed(ledger, red)
            if outcome:
                await ledger.record(order.order_key, outcome)
            assert (await remembered(ledger, "local", blue.request)).alike == []
            assert isinstance(await claim(ledger, blue), Claimed)
            assert isinstance(await claim(ledger, unknown), EarlierUnknown)

    @pytest.mark.parametrize("outcome", [REJECTED, ABSENT])
    async def test_a_block_ends_with_the_unknown(self, store: Store, outcome: Outcome) -> None:
        async with opened(store) as ledger:
            earlier = await settled(ledger, preview_of(1, goods="goods"), UNKNOWN)
            second = preview_of(2, goods="goods")
            await stored(ledger, second)
            assert isinstance(await claim(ledger, second), EarlierUnknown)
            await ledger.record(earlier.order_key, outcome)
            assert isinstance(await claim(ledger, second), Claimed)

    async def test_a_claim_finds_out_itself_that_an_earlier_sender_is_gone(self, store: Store) -> None:
        async with opened(store) as ledger, opened(store) as other:
            await claimed(ledger, preview_of(1, goods="goods"))
            second = preview_of(2, goods="goods")
            await stored(other, second)
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

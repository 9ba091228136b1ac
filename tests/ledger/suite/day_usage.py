"""The rule that a claim judges by: what it is shown of the day, and what its verdict leaves behind."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger.suite.stores import (
    OUTCOMES,
    PLACED,
    Store,
    all_orders,
    claim,
    claimed,
    events,
    opened,
    preview_of,
    settled,
    standing_of,
    used_by,
)
from xportcn_tools.ledger.ledger import Claimed, DayUsage, RuleBroken
from xportcn_tools.ledger.rows import day_of


class DayUsageSuite:
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
                    DayUsage(1000000, 1, 1000000, day_of(store.clock.now)),
                    DayUsage(0, 0, 1000000, day_of(store.clock.now)),
                )
            heard: list[DayUsage] = []
            new = preview_of("new", fen=7)
            await ledger.store_preview(new)
            assert isinstance(await claim(ledger, new, heard.append), Claimed)
            assert heard == [DayUsage(111, 3, 100111, day_of(store.clock.now))]
            assert await used_by(ledger) == DayUsage(118, 4, 100118, day_of(store.clock.now))
            assert await used_by(ledger, "other") == DayUsage(100000, 1, 100118, day_of(store.clock.now))

    async def test_the_day_is_the_utc_day_of_the_claim(self, store: Store) -> None:
        store.clock.now = datetime(2026, 3, 9, 23, 59, 59, 999999, tzinfo=UTC)
        async with opened(store) as ledger:
            late = await claimed(ledger, preview_of(1, fen=100))
            assert late.day == "2026-03-09"
            assert await used_by(ledger) == DayUsage(100, 1, 100, "2026-03-09")
            store.clock.advance(0.000001)
            heard: list[DayUsage] = []
            await ledger.record(late.order_key, PLACED)
            second = preview_of(2, fen=5, now=store.clock.now - timedelta(seconds=30))
            await ledger.store_preview(second)
            result = await claim(ledger, second, heard.append)
            assert isinstance(result, Claimed)
            assert result.order.day == "2026-03-10"
            assert heard == [DayUsage(0, 0, 0, "2026-03-10")]
            assert await used_by(ledger) == DayUsage(5, 1, 5, "2026-03-10")
            store.clock.advance(-1)  # a clock that is set back finds that day as it was
            assert await used_by(ledger) == DayUsage(100, 1, 100, "2026-03-09")

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
            assert (standing.reference_used, standing.used) == (
                False,
                DayUsage(0, 0, 0, day_of(store.clock.now)),
            )
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

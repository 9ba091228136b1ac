"""The rule that a claim judges by: what it is shown of the day, and what its verdict leaves behind."""

from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ledger.suite.stores import (
    DAY_ENDS,
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
    stored,
    used_by,
)
from xportcn_tools.ledger.ledger import Claimed, DayUsage, RuleBroken


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
                    DayUsage(1000000, 1, 1000000, DAY_ENDS),
                    DayUsage(0, 0, 1000000, DAY_ENDS),
                )
            heard: list[DayUsage] = []
            new = preview_of("new", fen=7)
            await stored(ledger, new)
            assert isinstance(await claim(ledger, new, heard.append), Claimed)
            assert heard == [DayUsage(111, 3, 100111, DAY_ENDS)]
            assert await used_by(ledger) == DayUsage(118, 4, 100118, DAY_ENDS)
            assert await used_by(ledger, "other") == DayUsage(100000, 1, 100118, DAY_ENDS)

    @pytest.mark.parametrize(
        ("zone", "starts_at", "ends_at"),
        [
            ("UTC", datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC)),
            ("Asia/Shanghai", datetime(2026, 3, 8, 16, tzinfo=UTC), datetime(2026, 3, 9, 16, tzinfo=UTC)),
            ("America/New_York", datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 3, 9, 4, tzinfo=UTC)),
            ("Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC), datetime(2026, 4, 24, 21, tzinfo=UTC)),
        ],
    )
    async def test_the_day_is_the_zones_from_midnight_to_midnight(
        self, store: Store, zone: str, starts_at: datetime, ends_at: datetime
    ) -> None:
        instant = timedelta(microseconds=1)
        async with opened(store, zone=ZoneInfo(zone)) as ledger:
            for fen, moment in ((1, starts_at - instant), (10, starts_at), (100, ends_at - instant)):
                store.clock.now = moment
                await settled(ledger, preview_of(fen, fen=fen, now=moment), PLACED)
            assert await used_by(ledger) == DayUsage(110, 2, 110, ends_at)
            heard: list[DayUsage] = []
            store.clock.now = ends_at
            last = preview_of("last", fen=1000, now=ends_at)
            await stored(ledger, last)
            assert isinstance(await claim(ledger, last, heard.append), Claimed)
            ((fen, orders, total, _),) = (astuple(used) for used in heard)
            assert (fen, orders, total) == (0, 0, 0)
            assert (await used_by(ledger)).fen == 1000
            store.clock.now = starts_at - instant  # a clock that is set back finds that day as it was
            assert await used_by(ledger) == DayUsage(1, 1, 1, starts_at)

    async def test_an_owner_who_changes_the_zone_finds_the_orders_in_its_days(self, store: Store) -> None:
        shanghai = ZoneInfo("Asia/Shanghai")
        store.clock.now = datetime(2026, 3, 9, 15, 59, tzinfo=UTC)
        async with opened(store, zone=shanghai) as before, opened(store) as after:
            await settled(before, preview_of(1, fen=100), PLACED)
            store.clock.advance(60)
            assert await used_by(before) == DayUsage(0, 0, 0, datetime(2026, 3, 10, 16, tzinfo=UTC))
            assert await used_by(after) == DayUsage(100, 1, 100, datetime(2026, 3, 10, tzinfo=UTC))

    async def test_a_verdict_comes_back_and_leaves_no_trace(self, store: Store) -> None:
        async with opened(store) as ledger, opened(store) as other:
            preview = preview_of(1)
            await stored(ledger, preview)
            before = await ledger.trail()
            verdict = {"over": "the day's sum"}
            assert await claim(ledger, preview, lambda used: verdict) == RuleBroken(verdict)
            assert await all_orders(other) == []
            assert await other.trail() == before
            standing = await standing_of(other, preview)
            assert (standing.reference_used, standing.used) == (
                False,
                DayUsage(0, 0, 0, DAY_ENDS),
            )
            assert isinstance(await claim(other, preview), Claimed)

    async def test_a_rule_that_fails_comes_out_as_it_is_and_leaves_no_trace(self, store: Store) -> None:
        def broken(used: DayUsage) -> None:
            raise LookupError("a defect of the rule")

        async with opened(store) as ledger, opened(store) as other:
            preview = preview_of(1)
            await stored(ledger, preview)
            with pytest.raises(LookupError, match="defect"):
                await claim(ledger, preview, broken)
            assert await events(other) == []
            assert isinstance(await claim(other, preview), Claimed)

"""The owner's caps: reaching one is allowed, passing it is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xportcn_tools.clock import day_around
from xportcn_tools.desk.caps import Caps, breach
from xportcn_tools.ledger.ledger import DayUsage

YEARS_END = datetime(2026, 12, 31, 16, tzinfo=UTC)
CAPS = Caps(order_fen=200_000, day_fen=1_000_000, day_orders=50)


def used_so_far(fen: int, orders: int, total_fen: int | None = None) -> DayUsage:
    """By the caller, and by all; without a total, by the caller alone."""
    return DayUsage(fen, orders, fen if total_fen is None else total_fen, YEARS_END)


NOTHING = used_so_far(0, 0)


@pytest.mark.parametrize(
    ("used", "payable"),
    [
        (NOTHING, 200_000),
        (NOTHING, 0),
        (used_so_far(800_000, 1), 200_000),
        (used_so_far(0, 49), 1),
        (used_so_far(800_000, 49), 200_000),
        (used_so_far(1_000_000, 1), 0),
    ],
)
def test_a_cap_may_be_reached(used: DayUsage, payable: int) -> None:
    assert breach(CAPS, used, payable) is None


def test_one_fen_above_the_order_cap_is_refused_with_the_figures() -> None:
    found = breach(CAPS, NOTHING, 200_001)
    assert found is not None
    assert (found.setting, found.cap, found.would_be) == ("XPORTCN_MAX_ORDER_CNY", "2000.00", "2000.01")


def test_one_fen_above_the_day_cap_is_refused_with_what_is_used_already() -> None:
    found = breach(CAPS, used_so_far(800_001, 4), 200_000)
    assert found is not None
    assert (found.setting, found.cap, found.used, found.would_be) == (
        "XPORTCN_MAX_DAY_CNY",
        "10000.00",
        "8000.01",
        "10000.01",
    )
    assert all(part in found.message for part in ("XPORTCN_MAX_DAY_CNY", "10000.00", "8000.01", "10000.01"))


def test_one_order_above_the_number_of_a_day_is_refused() -> None:
    found = breach(CAPS, used_so_far(0, 50), 0)
    assert found is not None
    assert (found.setting, found.cap, found.used, found.would_be) == (
        "XPORTCN_MAX_DAY_ORDERS",
        "50",
        "50",
        "51",
    )


def test_one_fen_above_the_day_of_all_callers_is_refused_though_the_caller_has_room() -> None:
    caps = replace(CAPS, total_day_fen=1_500_000)
    assert breach(caps, used_so_far(100_000, 1, 1_400_000), 100_000) is None
    found = breach(caps, used_so_far(100_000, 1, 1_400_001), 100_000)
    assert found is not None
    assert (found.setting, found.cap, found.used, found.would_be) == (
        "XPORTCN_TOTAL_DAY_CNY",
        "15000.00",
        "14000.01",
        "15000.01",
    )


def test_the_caps_of_a_day_say_when_it_ends_and_the_cap_of_an_order_does_not() -> None:
    of_order = breach(CAPS, NOTHING, 200_001)
    assert of_order
    assert of_order.ends_at is None
    for used in (used_so_far(1_000_000, 1), used_so_far(0, 50)):
        of_day = breach(CAPS, used, 1)
        assert of_day
        assert of_day.ends_at == "2026-12-31T16:00:00Z"
        assert "2026-12-31T16:00:00Z" in of_day.message


@pytest.mark.parametrize("cap", ["order_fen", "day_fen", "total_day_fen"])
def test_a_cap_of_nothing_lets_nothing_be_paid(cap: str) -> None:
    assert breach(replace(CAPS, **{cap: 0}), NOTHING, 1) is not None


def test_a_cap_of_zero_orders_lets_no_order_pass() -> None:
    assert breach(replace(CAPS, day_orders=0), NOTHING, 0) is not None


AMOUNT = st.integers(0, 10**7)


@given(AMOUNT, AMOUNT, st.integers(0, 60), st.none() | AMOUNT, AMOUNT, st.integers(0, 60), AMOUNT, AMOUNT)
def test_an_order_that_passes_keeps_every_cap(
    order: int,
    day: int,
    orders: int,
    total: int | None,
    used_fen: int,
    used_orders: int,
    others: int,
    payable: int,
) -> None:
    kept = payable <= order and used_fen + payable <= day and used_orders < orders
    kept &= total is None or used_fen + others + payable <= total
    used = used_so_far(used_fen, used_orders, used_fen + others)
    assert (breach(Caps(order, day, orders, total), used, payable) is None) is kept


@pytest.mark.parametrize(
    "name",  # clocks that change never, at 2, at midnight (skipped or repeated), in the evening, by half an hour
    [
        *["UTC", "Asia/Shanghai", "Asia/Kathmandu", "America/New_York", "Africa/Cairo", "America/Havana"],
        *["Asia/Beirut", "America/Nuuk", "America/Santiago", "Australia/Lord_Howe"],
    ],
)
def test_the_days_of_a_zone_follow_each_other_and_each_has_one_date(name: str) -> None:
    zone, instant = ZoneInfo(name), timedelta(microseconds=1)
    _, starts_at = day_around(datetime(2026, 1, 1, 12, tzinfo=UTC), zone)
    for _ in range(2 * 365):
        day = day_around(starts_at, zone)
        ends_at = day[1]
        assert day == (starts_at, ends_at) == day_around(ends_at - instant, zone)
        date = starts_at.astimezone(zone).date()
        assert (ends_at - instant).astimezone(zone).date() == date
        assert (starts_at - instant).astimezone(zone).date() == date - timedelta(days=1)
        starts_at = ends_at

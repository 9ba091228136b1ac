"""The owner's caps: reaching one is allowed, passing it is not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.builders import rule
from xportcn_tools.desk.caps import Caps, breach
from xportcn_tools.ledger.ledger import DayUsage

CAPS = Caps(order_fen=200_000, day_fen=1_000_000, day_orders=50)
NOTHING = DayUsage(fen=0, orders=0)


@pytest.mark.parametrize(
    ("used", "payable"),
    [
        (NOTHING, 200_000),
        (NOTHING, 0),
        (DayUsage(800_000, 1), 200_000),
        (DayUsage(0, 49), 1),
        (DayUsage(800_000, 49), 200_000),
        (DayUsage(1_000_000, 1), 0),
    ],
)
def test_a_cap_may_be_reached(used: DayUsage, payable: int) -> None:
    assert breach(CAPS, used, payable) is None


def test_one_fen_above_the_order_cap_is_refused_with_the_figures() -> None:
    found = breach(CAPS, NOTHING, 200_001)
    assert found is not None
    assert (found.setting, found.cap, found.would_be) == ("XPORTCN_MAX_ORDER_CNY", "2000.00", "2000.01")


def test_one_fen_above_the_day_cap_is_refused_with_what_is_used_already() -> None:
    found = breach(CAPS, DayUsage(800_001, 4), 200_000)
    assert found is not None
    assert (found.setting, found.cap, found.used, found.would_be) == (
        "XPORTCN_MAX_DAY_CNY",
        "10000.00",
        "8000.01",
        "10000.01",
    )
    assert all(part in found.message for part in ("XPORTCN_MAX_DAY_CNY", "10000.00", "8000.01", "10000.01"))


def test_one_order_above_the_number_of_a_day_is_refused() -> None:
    found = breach(CAPS, DayUsage(0, 50), 0)
    assert found is not None
    assert (found.setting, found.cap, found.used, found.would_be) == (
        "XPORTCN_MAX_DAY_ORDERS",
        "50",
        "50",
        "51",
    )


@pytest.mark.parametrize("cap", ["order_fen", "day_fen"])
def test_a_cap_of_nothing_lets_nothing_be_paid(cap: str) -> None:
    assert breach(replace(CAPS, **{cap: 0}), NOTHING, 1) is not None


def test_a_cap_of_zero_orders_lets_no_order_pass() -> None:
    assert breach(replace(CAPS, day_orders=0), NOTHING, 0) is not None


AMOUNT = st.integers(0, 10**7)


@rule
@given(AMOUNT, AMOUNT, st.integers(0, 60), AMOUNT, st.integers(0, 60), AMOUNT)
def test_an_order_that_passes_keeps_every_cap(
    order: int, day: int, orders: int, used_fen: int, used_orders: int, payable: int
) -> None:
    kept = payable <= order and used_fen + payable <= day and used_orders < orders
    assert (breach(Caps(order, day, orders), DayUsage(used_fen, used_orders), payable) is None) is kept

"""What the upstream has of an order, beside what was approved: 35.16 + 8.00 = 43.16."""

from decimal import Decimal

import pytest

from xportcn_tools.desk.comparison import Difference, compared
from xportcn_tools.order import Line, ShownGroup, ShownPreview
from xportcn_tools.upstream_state import UpstreamItem, UpstreamOrder

LINE = Line("700000000303", "d4" * 16, "53", 2, 1758, 3516, None)
GROUP = ShownGroup(4316, 3516, 800, (LINE,), (), ())
SHOWN = ShownPreview(4316, 3516, 800, 0, 0, "李, 杭州", None, None, None, (GROUP,), ())
ITEM = UpstreamItem("700000000303", "d4" * 16, 2, Decimal("35.16"))


def order(total: str | None, freight: str | None = None, *items: UpstreamItem) -> UpstreamOrder:
    return UpstreamOrder(
        "42",
        total=Decimal(total) if total else None,
        freight=Decimal(freight) if freight else None,
        items=items,
    )


@pytest.mark.parametrize(("total", "unit"), [("43.16", 100), ("4316", 1), ("4316.0", 1)])
def test_a_total_that_fits_in_either_unit_is_the_approved_one(total: str, unit: int) -> None:
    beside = compared([order(total)], SHOWN)
    assert (beside.unit, beside.differs, beside.differences) == (unit, False, ())


def test_a_changed_total_is_told_in_yuan_where_the_freight_proves_the_unit() -> None:
    beside = compared([order("41", "8.0")], SHOWN)
    assert (beside.unit, beside.differs) == (100, True)
    assert beside.differences == (Difference("total", "43.16", "41.00"),)


def test_a_changed_total_is_told_in_yuan_where_it_is_no_whole_number() -> None:
    assert compared([order("41.5")], SHOWN).differences == (Difference("total", "43.16", "41.50"),)


def test_a_changed_total_is_told_in_yuan_where_a_line_proves_the_unit() -> None:
    assert compared([order("4100", "800", ITEM)], SHOWN).unit is None  # one says fen, one says yuan
    fen = UpstreamItem("700000000303", "d4" * 16, 2, Decimal(3516))
    assert compared([order("4100", None, fen)], SHOWN).differences == (Difference("total", "43.16", "41.00"),)


def test_a_total_whose_unit_nothing_proves_stands_as_it_was_written() -> None:
    beside = compared([order("41")], SHOWN)
    assert beside.unit is None
    assert beside.differences == (Difference("total", "43.16", "41 (unit not proven)"),)


def test_a_hundredfold_total_differs() -> None:
    assert compared([order("431600")], SHOWN).differs


def test_orders_that_one_create_was_split_into_are_added_up() -> None:
    assert not compared([order("40.16"), order("3")], SHOWN).differs
    assert compared([order("40.16"), order("4")], SHOWN).differs


def test_a_total_that_was_not_given_is_no_difference() -> None:
    assert not compared([order(None)], SHOWN).differs
    assert not compared([order("40.16"), order(None)], SHOWN).differs
    assert not compared([], SHOWN).differs


def test_another_quantity_and_other_goods_are_named() -> None:
    three = UpstreamItem("700000000303", "d4" * 16, 3, None)
    other = UpstreamItem("700000000304", "aa", 1, None)
    beside = compared([order("43.16", None, three, other)], SHOWN)
    assert [(each.was, each.now) for each in beside.differences] == [("2", "3"), ("0", "1")]


def test_lines_are_compared_by_offer_where_the_upstream_names_no_specs() -> None:
    without = UpstreamItem("700000000303", None, 2, None)
    assert not compared([order("43.16", None, without)], SHOWN).differs


def test_goods_that_are_not_told_whole_are_no_difference() -> None:
    unknown = UpstreamItem("700000000303", "d4" * 16, None, None)
    assert not compared([order("43.16", None, unknown)], SHOWN).differs

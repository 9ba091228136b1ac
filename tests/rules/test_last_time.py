"""What differs since the same goods were bought last, in the person's language and the owner's day."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ledger.suite.stores import preview_of
from xportcn_tools.desk.last_time import since_last_time
from xportcn_tools.ledger.approvals import Bought
from xportcn_tools.order import Line

THEN = datetime(2026, 10, 1, 20, tzinfo=UTC)
LINE = Line("610947572360", "B266", None, 20, 1200, 24000, None, title="杯子", option="白色")
SHOWN = preview_of(1).shown


def bought(number: int, *lines: Line, at: datetime = THEN) -> Bought:
    return Bought(f"PO-{number}", at, replace(SHOWN, groups=(replace(SHOWN.groups[0], lines=lines),)))


def test_goods_that_were_never_bought_have_nothing_said_of_them() -> None:
    others = bought(
        1, replace(LINE, offer_id="1"), replace(LINE, spec_id="B267"), replace(LINE, spec_id=None)
    )
    assert since_last_time(LINE, [], "en", UTC) == []
    assert since_last_time(LINE, [others], "en", UTC) == []


def test_another_price_stands_beside_the_last_one_with_date_quantity_and_order() -> None:
    now = replace(LINE, unit_price=1350, quantity=5)
    assert since_last_time(now, [bought(1, LINE)], "en", UTC) == [
        "Last time 12.00 on 2026-10-01, now 13.50 (20 in order PO-1)"
    ]
    assert since_last_time(now, [bought(1, LINE)], "zh", ZoneInfo("Asia/Shanghai")) == [
        "上次 2026-10-02 单价 12.00，现为 13.50（数量 20，订单 PO-1）"
    ]


def test_equal_goods_are_said_to_have_been_bought_and_no_more() -> None:
    capitals = replace(LINE, spec_id="b266")
    assert since_last_time(capitals, [bought(1, LINE)], "en", UTC) == [
        "Last time 12.00 on 2026-10-01 (20 in order PO-1)"
    ]


def test_the_newest_order_counts_and_its_lines_of_the_same_goods_are_one() -> None:
    newest = bought(2, replace(LINE, quantity=3), replace(LINE, quantity=4))
    (said,) = since_last_time(LINE, [newest, bought(1, LINE)], "en", UTC)
    assert said == "Last time 12.00 on 2026-10-01 (7 in order PO-2)"


def test_another_title_or_option_is_quoted_and_one_that_was_not_read_is_no_change() -> None:
    before = bought(1, replace(LINE, title="旧「杯」", option="米白"))
    assert since_last_time(LINE, [before], "en", UTC)[1:] == [
        "The title was 「旧杯」 then",
        "The option was 「米白」 then",
    ]
    for one, other in (
        (LINE, bought(1, replace(LINE, title=None, option=None))),
        (
            replace(LINE, title=None, option=None),
            before,
        ),
    ):
        assert len(since_last_time(one, [other], "en", UTC)) == 1


def test_a_price_that_is_not_known_is_compared_with_none() -> None:
    unknown = replace(LINE, unit_price=None)
    assert since_last_time(LINE, [bought(1, unknown)], "en", UTC) == [
        "Last time ? on 2026-10-01 (20 in order PO-1)"
    ]
    assert since_last_time(unknown, [bought(1, LINE)], "en", UTC) == [
        "Last time 12.00 on 2026-10-01 (20 in order PO-1)"
    ]

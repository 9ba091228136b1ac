"""An order's details as the upstream may tell them: two units in one answer, three vocabularies of states."""

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from xportcn_tools.upstream.envelope import read_envelope
from xportcn_tools.upstream.order_details import moment_of, read_order
from xportcn_tools.upstream_state import Parcel, UpstreamOrder

ANSWER = (Path(__file__).parent / "answers" / "order_details.json").read_bytes()


def details(**base: Any) -> dict[str, Any]:
    data = copy.deepcopy(read_envelope(ANSWER).data)
    data["baseInfo"] |= base
    return data


def read(data: object) -> UpstreamOrder:
    order = read_order(data)
    assert order
    return order


def test_the_published_shape_is_read_whole() -> None:
    order = read(details())
    assert order.order_id == "4200000000000000123"
    assert order.out_order_id == "XP-2026-000123"
    assert (order.total, order.freight) == (Decimal("43.16"), Decimal("8.0"))
    assert (order.status, order.status_text, order.unpaid) == ("waitbuyerpay", "not paid yet", True)
    assert order.created_at == datetime(2026, 6, 1, 1, 30, tzinfo=UTC)
    assert order.pay_until == datetime(2026, 6, 4, 1, 30, tzinfo=UTC)
    (item,) = order.items
    assert (item.offer_id, item.quantity, item.amount) == ("700000000303", 2, Decimal("35.16"))


def test_an_order_is_found_at_most_two_wrappers_down() -> None:
    order = details()
    for wrapped in ([order], {"result": order}, {"result": {"data": [order]}}):
        assert read(wrapped) == read(order)


def test_a_list_of_two_orders_names_neither() -> None:
    assert read_order([details(), details()]) is None


@pytest.mark.parametrize(
    ("status", "words", "unpaid"),
    [
        ("waitbuyerpay", "not paid yet", True),
        ("WAITING_FOR_PAYMENT", "not paid yet", True),
        ("waitsellersend", "paid, not shipped yet", False),
        ("WAITING_FOR_SENT", "paid, not shipped yet", False),
        ("confirm_goods", "received", False),
        ("CANCEL", "closed", False),
        ("terminated", "closed", False),
        ("success", "complete", False),
    ],
)
def test_a_state_of_each_vocabulary_has_words_of_ours(status: str, words: str, unpaid: bool) -> None:
    order = read(details(status=status))
    assert (order.status_text, order.unpaid) == (words, unpaid)


def test_a_number_as_state_is_kept_and_the_payment_says_whether_it_is_paid() -> None:
    order = read(details(status=8, statusStr=None))
    assert (order.status, order.status_text, order.unpaid) == ("8", None, True)
    paid = details(status=8)
    paid["tradeTerms"] = [{"payStatus": "2"}]
    assert read(paid).unpaid is False
    paid["tradeTerms"] = [{"payStatus": "2"}, {"payStatus": "1"}]
    assert read(paid).unpaid is None


def test_the_states_in_chinese_stand_in_for_a_number() -> None:
    order = details(status=8)
    order["baseInfo"]["statusStr"] = "等待买家付款"
    assert read(order).status_text == "not paid yet"


def test_parcels_are_named_by_carrier_and_number() -> None:
    order = details()
    order["nativeLogistics"]["logisticsItems"] = [
        {"logisticsBillNo": "YT1", "logisticsCompanyName": "圆通速递"},
        {"logisticsBillNo": None, "logisticsCompanyName": None},
        "nothing",
    ]
    assert read(order).parcels == (Parcel("圆通速递", "YT1"),)


def test_the_rounded_id_never_stands_in_for_the_one_in_text() -> None:
    assert read(details(id=4200000000000000100)).order_id == "4200000000000000123"


@pytest.mark.parametrize("id_", ["0", 0, None, "null", ["1"], True])
def test_an_order_without_a_usable_id_is_none(id_: Any) -> None:
    assert read_order(details(idOfStr=id_, id=None)) is None


@pytest.mark.parametrize("data", [None, [], {}, "html", 3, {"result": None}, {"baseInfo": None}])
def test_what_holds_no_order_is_none(data: object) -> None:
    assert read_order(data) is None


@pytest.mark.parametrize(
    ("wire", "moment"),
    [
        ("20260601093000000+0800", datetime(2026, 6, 1, 1, 30, tzinfo=UTC)),
        ("20260601093000250", datetime(2026, 6, 1, 1, 30, 0, 250000, tzinfo=UTC)),
        (1780277400000, datetime(2026, 6, 1, 1, 30, tzinfo=UTC)),
        ("2026", None),
        ("20261399093000000+0800", None),
        (True, None),
        (None, None),
        (10**30, None),
        ("20260601093000000+9900", None),
    ],
)
def test_a_time_is_read_or_is_unknown(wire: object, moment: datetime | None) -> None:
    assert moment_of(wire) == moment


@pytest.mark.parametrize("amount", ["-1", "NaN", "1e400", -3, True, [], "x", None])
def test_an_amount_that_is_none_is_unknown(amount: object) -> None:
    assert read(details(totalAmount=amount)).total is None


def test_a_text_is_cleaned_before_it_is_kept() -> None:
    order = read(details(closeReason="买家取消<b>\u202e!</b>"))
    assert order.closed_because == "买家取消!"
    assert json.dumps(order.closed_because)

"""Orders on the page: their states, what became of an unknown one, the budget of the day, and the pause."""

import csv
import html
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from harness.clock import Clock
from harness.house import ADDRESS, House, address_of, call, previewed
from harness.page_visit import OWNER, Visit, forms_in, visited
from ledger.suite.stores import PLACED, preview_of, settled
from xportcn_server.sandbox.service import build_sandbox
from xportcn_tools.ledger.approvals import Visitor
from xportcn_tools.ledger.ledger import OrderQuery
from xportcn_tools.money import yuan

pytestmark = pytest.mark.anyio


async def ordered(client: Client, number: int = 1) -> dict[str, Any]:
    """An order to a place of its own, whatever becomes of it."""
    preview = await previewed(client, address=address_of(number))
    return (await call(client, "create_order", preview["create_order_arguments"]))["order"]


async def unknown(house: House, client: Client) -> dict[str, Any]:
    house.sandbox.faults.add("reset-after-order", "create")
    order = await ordered(client)
    house.sandbox.faults.clear()
    assert order["state"] == "unknown"
    return order


async def looked(visit: Visit, ending: str, ids: str = "") -> Any:
    """The first of the two questions, answered."""
    (form,) = [form for form in await visit.forms("/look") if form["ending"] == ending]
    return await visit.send("/look", form | ({"ids": ids} if ids else {}))


async def test_an_order_has_its_state_its_ids_and_that_it_is_not_paid(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.client() as client, visited(house) as visit:
        order = await ordered(client)
        page = html.unescape(await visit.text())
    assert "Placed, not paid yet unless you have paid it" in page, "nothing is known of a payment"
    for shown in (order["out_order_id"], *order["order_ids"], order["payable"]["amount"], order["ship_to"]):
        assert shown in page


async def test_where_the_address_was_forgotten_the_page_says_so(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.client() as client, visited(house) as visit:
        order = await ordered(client)
        async with house.opened() as ledger:
            (kept,) = await ledger.orders(OrderQuery(None))
            await ledger.erase(kept.order_key)
        page = html.unescape(await visit.text())
    assert order["ship_to"] not in page
    assert "<dd>erased: name, address and message of this order were forgotten</dd>" in page


async def test_an_order_that_is_no_longer_as_approved_says_so(tmp_path: Path) -> None:
    house = House(tmp_path, ORDER_LOOKUP="on")
    async with house.client() as client, visited(house) as visit:
        order = await ordered(client)
        before = await visit.text()
        assert "No longer as approved" not in before
        house.sandbox.books.move(order["order_ids"][0], payable_fen=5_998)
        await call(client, "get_orders", {"refresh": True})
        page = await visit.text()
        approved = order["payable"]["amount"]
        assert f"No longer as approved. To pay: approved {approved}, now 59.98." in html.unescape(page)
        version = 'data-version="'
        assert page.partition(version)[2][:16] != before.partition(version)[2][:16]


async def test_an_unknown_order_stands_on_top_with_what_to_look_for(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.client() as client, visited(house) as visit:
        open_one, placed = await unknown(house, client), await ordered(client, 2)
        await previewed(client, address=address_of(3))
        page = await visit.text()
    assert "Look for this order in your Xportcn account" in page
    at = [
        page.index(open_one["out_order_id"]),
        page.index('action="/yes"'),
        page.index(f"<code>{placed['out_order_id']}</code>"),
    ]
    assert at == sorted(at)


async def test_an_unknown_order_has_the_ids_that_its_answer_named(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.sandbox.faults.add("ids-beside-failure", "create")
    async with house.client() as client, visited(house) as visit:
        order = await ordered(client)
        assert order["state"] == "unknown"
        (named,) = order["order_ids"]
        assert f"<code>{named}</code>" in await visit.text(), "what to look for"


@pytest.mark.parametrize(
    ("ending", "ids", "state"), [("placed", "1795, 1796", "placed"), ("absent", "", "absent")]
)
async def test_what_became_of_an_unknown_order_is_asked_twice_and_recorded(
    tmp_path: Path, ending: str, ids: str, state: str
) -> None:
    house = House(tmp_path)
    async with house.client() as client, visited(house) as visit:
        order = await unknown(house, client)
        assert "No orders yet." not in await visit.text()
        asked = await looked(visit, ending, ids)
        assert "Are you sure?" in asked.text
        assert "resolved_by_operator" not in await house.events(), "the first answer records nothing"
        (again,) = forms_of(asked, "/resolve")
        assert (await visit.send("/resolve", again)).status_code == 303
        (found,) = (await call(client, "get_orders", {"reference": order["out_order_id"]}))["orders"]
        assert found["state"] == state
        assert found["order_ids"] == ids.replace(",", "").split()
        assert (await visit.send("/resolve", again)).status_code == 403
    assert (await house.events()).count("resolved_by_operator") == 1


def forms_of(answer: Any, action: str) -> list[dict[str, str]]:
    return forms_in(answer.text, action)


@pytest.mark.parametrize(
    ("ids", "reason"),
    [
        ("", "no order id was named"),
        ("null", "is no order id"),
        ("0", "is no order id"),
        (" ".join(map(str, range(1, 52))), "these are 51 order ids; an order has 50 at most"),
    ],
)
async def test_an_ending_that_cannot_be_recorded_is_refused_at_the_first_question(
    tmp_path: Path, ids: str, reason: str
) -> None:
    house = House(tmp_path)
    async with house.client() as client, visited(house) as visit:
        await unknown(house, client)
        asked = await looked(visit, "placed", ids)
        assert asked.status_code == 409
        assert reason in html.unescape(asked.text)


async def test_the_second_question_is_good_for_the_ids_of_the_first_alone(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.client() as client, visited(house) as visit:
        await unknown(house, client)
        (again,) = forms_of(await looked(visit, "placed", "1795"), "/resolve")
        for forged in ({"ids": "1796"}, {"ending": "absent"}):
            assert (await visit.send("/resolve", again | forged)).status_code == 403
    assert "resolved_by_operator" not in await house.events()


async def test_a_caller_neither_sees_nor_ends_anothers_order(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.client() as client, visited(house) as visit:
        order = await unknown(house, client)
        (form, _) = await visit.forms("/look")
        await visit.sign_in(Visitor("caller:alice"))
        assert order["out_order_id"] not in await visit.text()
        assert (await visit.send("/look", form)).status_code == 403


async def test_the_budget_is_that_of_the_caps_and_of_what_counts(tmp_path: Path) -> None:
    house = House(tmp_path, MAX_DAY_CNY="5000", MAX_DAY_ORDERS="7", TOTAL_DAY_CNY="9000", MAX_ORDER_CNY="800")
    async with house.client() as client, visited(house) as visit:
        paid = [(await ordered(client, number))["payable"]["amount"] for number in (1, 2)]
        used = f"{sum(map(float, paid)):.2f}"
        page = await visit.text()
    for shown in (f"{used} of 5000.00", "2 of 7", f"{used} of 9000.00", "800.00 CNY"):
        assert shown in page


async def test_while_the_owner_pauses_no_create_leaves_and_the_reason_is_shown(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.client() as client, visited(house) as visit:
        preview = await previewed(client)
        (form,) = await visit.forms("/pause")
        await visit.send("/pause", form | {"reason": "stocktaking <b>"})
        page = await visit.text()
        assert "Ordering is paused" in page
        assert "stocktaking" in page
        answer = await call(client, "create_order", preview["create_order_arguments"])
        assert answer["problem"]["code"] == "paused"
        assert (await visit.send("/pause", form)).status_code == 403, "a replayed form pauses nothing again"
        await visit.answer("/resume")
        answer = await call(client, "create_order", preview["create_order_arguments"])
    assert answer["order"]["state"] == "placed"


async def test_the_owner_sees_what_all_callers_have_ordered_today(tmp_path: Path) -> None:
    preview = preview_of(1, caller="caller:bob")
    clock = Clock(preview.created_at)
    house = House(tmp_path)
    async with visited(house, clock) as visit:
        await settled(visit.site.ledger, preview, PLACED)
        total = f"<dt>All callers</dt><dd>{yuan(preview.payable_fen)}</dd>"
        assert total in await visit.text()
        await visit.sign_in(Visitor("caller:alice"))
        assert "All callers" not in await visit.text()


async def test_a_caller_can_neither_pause_nor_resume(tmp_path: Path) -> None:
    async with visited(House(tmp_path)) as visit:
        (form,) = await visit.forms("/pause")
        await visit.sign_in(Visitor("caller:alice"))
        assert await visit.forms("/pause") == []
        assert (await visit.send("/pause", form)).status_code == 403
        await visit.sign_in(OWNER)
        assert "Ordering is paused" not in await visit.text()


async def test_addresses_and_names_are_escaped_everywhere(tmp_path: Path) -> None:
    house = House(tmp_path)
    hostile = '<script>"&'
    async with house.client() as client, visited(house) as visit:
        preview = await previewed(client, address=ADDRESS | {"full_name": hostile})
        await call(client, "create_order", preview["create_order_arguments"])
        page = await visit.text()
    assert hostile not in page
    assert html.escape(hostile, quote=False)[:14] in page


async def test_the_table_has_the_name_of_the_owners_month(tmp_path: Path) -> None:
    clock = Clock(datetime(2026, 3, 31, 16, tzinfo=UTC))  # midnight in Shanghai
    async with visited(House(tmp_path, build_sandbox(clock=clock)), clock) as visit:
        answer = await visit.http.get("/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="orders-2026-04.csv"'


async def test_the_month_is_exported_as_a_table_that_adds_up_and_holds_the_callers_own(
    tmp_path: Path,
) -> None:
    clock = Clock()
    house = House(tmp_path, build_sandbox(clock=clock))
    async with house.client(clock=clock) as client, visited(house, clock) as visit:
        await ordered(client, 1)
        clock.advance(timedelta(days=30).total_seconds())  # another month
        order = await ordered(client, 2)
        await visit.sign_in()
        answer = await visit.http.get("/export")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="orders-2026-04.csv"'
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert {row["out_order_id"].strip("\t'=\"") for row in rows} == {order["out_order_id"]}
        assert f"{sum(Decimal(row['amount']) for row in rows)}" == order["payable"]["amount"]
        assert "/export" in await visit.text()
        await visit.sign_in(Visitor("caller:alice"))
        assert len((await visit.http.get("/export")).text.splitlines()) == 1, "the head alone"
        visit.http.cookies.clear()
        assert (await visit.http.get("/export")).status_code == 401

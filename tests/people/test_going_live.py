"""The first live day: the list, and the mark on the first order of an account."""

import re
from pathlib import Path
from typing import Any

import pytest

from harness.house import ERAS, Era, House, Person, address_of, call, order_arguments, previewed, text_of
from harness.patient import Patient, patient
from harness.port_sandbox import running_sandbox
from harness.settings import SANDBOX_ACCOUNT
from xportcn_server.doctor.going_live import COMPARED
from xportcn_server.sandbox.service import build_sandbox

__all__ = ["patient"]

PAGE = (Path(__file__).parents[2] / "docs" / "going-live.md").read_text("utf-8")


def listed(patient: Patient, **settings: str) -> dict[str, str]:
    patient.set(**settings)
    return {step["title"]: step["what"] for step in patient.examined("--live").content["live"]}


def test_the_list_and_its_page_have_the_same_steps_and_the_same_comparison(patient: Patient) -> None:
    steps = list(listed(patient))
    assert re.findall(r"^## [0-9]+\. (.+)$", PAGE, re.MULTILINE) == steps
    for ours, theirs in COMPARED.items():
        assert theirs in PAGE
        for name in re.findall(r"[a-z]+_[a-z]+|freight|discount|fees|payable|quantity", ours):
            assert f"`{name}`" in PAGE


def test_the_caps_and_the_rule_of_approval_stand_in_the_list_as_they_will_hold(patient: Patient) -> None:
    title = "Read the caps and the rule of approval"
    default = listed(patient)[title]
    assert "One order: at most 2000.00 CNY" in default
    assert "Over HTTP: no order without a recorded yes" in default
    mine = listed(
        patient,
        MAX_ORDER_CNY="64",
        MAX_DAY_ORDERS="1",
        TOTAL_DAY_CNY="70",
        APPROVAL="require",
        ASK_ABOVE_CNY="5",
    )[title]
    for words in (
        "at most 64.00 CNY",
        "and 1 orders",
        "70.00 CNY a day",
        "Approval: no order without a recorded yes",
        "Orders up to 5.00 CNY need no question",
    ):
        assert words in mine
    assert "Over HTTP" not in mine


def test_a_person_gets_the_list_with_numbers_after_the_checks(patient: Patient) -> None:
    code, printed = patient.told("--live")
    assert code == 0
    assert "\n1. Use a test account first\n   Ask Xportcn for a test user-id" in printed
    assert printed.index("stdout of serve") < printed.index("1. Use a test account")
    assert "应付总额" in printed
    for step in ("XPORTCN_MODE=preview", "XPORTCN_MODE=live"):
        assert "client's configuration" in printed.split(step)[1][:110]
    assert "1. Use" not in patient.told()[1]


# The first order of an account


async def unit_warnings(house: House, era: Era = "auto", **changes: Any) -> list[str]:
    async with house.client(era) as client:
        preview = await previewed(client, **changes)
    return [each["message"] for each in preview["warnings"] if each["code"] == "unverified_unit"]


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_the_first_live_order_asks_for_a_look_at_the_unit_and_the_second_does_not(
    tmp_path: Path, era: Era
) -> None:
    async with running_sandbox() as (sandbox, base_url):
        house = House(tmp_path, sandbox, MODE="live", BASE_URL=base_url, **SANDBOX_ACCOUNT)
        person = Person()
        async with house.client(era, person) as client:
            answered = await client.call_tool("preview_order", order_arguments())
            assert answered.structured_content is not None
            preview = answered.structured_content["preview"]
            assert "website's cart must show 64.00 CNY" in text_of(answered)
            created = await call(client, "create_order", preview["create_order_arguments"])
        assert created["order"]["state"] == "placed"
        total, note = person.asked[0].splitlines()[1:3]
        assert total.startswith("Total to pay: 64.00 CNY")
        assert note.startswith("Note (unverified_unit): ")
        assert "not a hundred times more or less" in note
        assert await unit_warnings(house, era, address=address_of(1)) == []


@pytest.mark.anyio
async def test_an_order_for_another_account_does_not_count(tmp_path: Path) -> None:
    async with running_sandbox() as (sandbox, base_url):
        account = {"BASE_URL": base_url} | SANDBOX_ACCOUNT
        house = House(tmp_path, sandbox, MODE="live", **account)
        async with house.client() as client:
            preview = await previewed(client)
            await call(client, "create_order", preview["create_order_arguments"])
        assert await unit_warnings(house, address=address_of(1)) == []
        other = House(tmp_path, sandbox, MODE="live", STAFF_NAME="Ming", **account)
        assert len(await unit_warnings(other, address=address_of(1))) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("fault", ["refusal", "reset-after-order"])
async def test_an_order_that_was_not_placed_or_is_unknown_does_not_count(tmp_path: Path, fault: str) -> None:
    async with running_sandbox(build_sandbox()) as (sandbox, base_url):
        house = House(tmp_path, sandbox, MODE="live", BASE_URL=base_url, **SANDBOX_ACCOUNT)
        sandbox.faults.add(fault, "create")
        async with house.client() as client:
            preview = await previewed(client)
            await call(client, "create_order", preview["create_order_arguments"])
        assert len(await unit_warnings(house, address=address_of(1))) == 1


@pytest.mark.anyio
async def test_the_sandbox_and_previews_without_orders_ask_for_no_look(tmp_path: Path) -> None:
    assert await unit_warnings(House(tmp_path)) == []
    async with running_sandbox() as (sandbox, base_url):
        house = House(tmp_path / "preview", sandbox, MODE="preview", BASE_URL=base_url, **SANDBOX_ACCOUNT)
        (tmp_path / "preview").mkdir()
        assert await unit_warnings(house) == []

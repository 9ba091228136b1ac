"""A person says yes or no on the page, and the assistant's create goes by it."""

import html
import random
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import pytest
from mcp import Client

from harness.clock import Clock
from harness.house import ERAS, Era, House, call, previewed
from harness.page_visit import forms_in, visited
from harness.port_sandbox import running_sandbox
from harness.settings import live
from harness.terminal import command
from xportcn_server.page import site
from xportcn_server.sandbox.service import build_sandbox
from xportcn_tools.desk import awaiting
from xportcn_tools.ledger.ledger import LedgerUnavailableError

pytestmark = pytest.mark.anyio

REQUIRE = {"APPROVAL": "require", "MAX_DAY_CNY": "100000"}


def house_at(folder: Path, clock: Clock | None = None, **changes: str) -> House:
    return House(folder, build_sandbox(clock=clock) if clock else None, **REQUIRE | changes)


class Waiting:
    """A create that waits for an answer; `step` hears each look into the ledger."""

    def __init__(self) -> None:
        self.looks = 0
        self.waits, self.ended = anyio.Event(), anyio.Event()
        self.answer: dict[str, Any] = {}

    async def step(self, moment: str) -> None:
        self.looks += moment == "find"
        if self.looks == 4:  # more than a create that does not wait takes
            self.waits.set()

    async def create(self, client: Client, preview: dict[str, Any]) -> None:
        self.looks = 0
        self.answer = await call(client, "create_order", preview["create_order_arguments"])
        self.ended.set()

    async def begun(self) -> None:
        with anyio.fail_after(20):
            await self.waits.wait()


@pytest.mark.parametrize("era", ERAS)
async def test_an_assistant_that_calls_after_the_yes_on_the_page_gets_its_order(
    tmp_path: Path, era: Era
) -> None:
    house = house_at(tmp_path)
    async with house.client(era) as client, visited(house) as visit:
        preview = await previewed(client)
        page = await visit.answer("/yes")
        assert "Your yes is recorded" in page.text
        assert await visit.forms("/yes") == []
        created = await call(client, "create_order", preview["create_order_arguments"])
    assert created["order"]["state"] == "placed"
    assert created["order"]["approval"] == {"method": "page", "verified": True}
    assert [(event, body.get("method")) for event, body in await house.trail()] == [
        ("approved", "page"),
        ("claimed", None),
        ("placed", None),
    ]


@pytest.mark.parametrize("era", ERAS)
async def test_a_create_that_waits_is_answered_as_soon_as_the_person_says_yes(
    tmp_path: Path, era: Era
) -> None:
    house = house_at(tmp_path)
    waiting = Waiting()
    async with house.client(era, step=waiting.step) as client, visited(house) as visit:
        preview = await previewed(client)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(waiting.create, client, preview)
            await waiting.begun()
            assert house.creates == 0
            with anyio.fail_after(10):  # well before the fifteen seconds are over
                await visit.answer("/yes")
                await waiting.ended.wait()
    assert waiting.answer["order"]["state"] == "placed"
    assert waiting.answer["order"]["approval"] == {"method": "page", "verified": True}


@pytest.mark.parametrize("era", ERAS)
async def test_a_create_that_waits_ends_with_the_persons_no_and_the_token_stays_good(
    tmp_path: Path, era: Era
) -> None:
    house = house_at(tmp_path)
    waiting = Waiting()
    async with house.client(era, step=waiting.step) as client, visited(house) as visit:
        preview = await previewed(client)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(waiting.create, client, preview)
            await waiting.begun()
            page = await visit.answer("/no")
            assert "You said no. You can still say yes" in page.text
        assert waiting.answer["problem"]["code"] == "approval_declined"
        assert waiting.answer["problem"]["request_sent"] == "no"
        assert house.creates == 0
        await visit.answer("/yes")
        created = await call(client, "create_order", preview["create_order_arguments"])
    assert created["order"]["approval"]["method"] == "page"
    assert (await house.events())[:2] == ["declined", "approved"]


async def test_without_a_page_that_is_open_a_create_is_answered_at_once(tmp_path: Path) -> None:
    house = house_at(tmp_path)
    async with house.client() as client, visited(house, signed_in=False):
        preview = await previewed(client)
        with anyio.fail_after(10):
            answer = await call(client, "create_order", preview["create_order_arguments"])
    assert answer["problem"]["code"] == "approval_required"
    assert "`xportcn-mcp page` opens it" in answer["problem"]["next_step"]


async def test_a_wait_ends_in_time_and_a_yes_that_comes_later_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awaiting, "LONGEST_SECONDS", 40.5)  # twice the timeout, and half a second
    house = house_at(tmp_path)
    async with house.client() as client, visited(house) as visit:
        preview = await previewed(client)
        with anyio.fail_after(15):
            answer = await call(client, "create_order", preview["create_order_arguments"])
        assert answer["problem"]["code"] == "approval_required"
        assert "on the page that is open" in answer["problem"]["next_step"]
        await visit.answer("/yes")
        created = await call(client, "create_order", preview["create_order_arguments"])
    assert created["order"]["state"] == "placed"


async def test_where_two_calls_of_the_upstream_take_the_whole_time_a_create_does_not_wait(
    tmp_path: Path,
) -> None:
    house = house_at(tmp_path, TIMEOUT_SECONDS="28")
    async with house.client() as client, visited(house):
        preview = await previewed(client)
        with anyio.fail_after(10):
            answer = await call(client, "create_order", preview["create_order_arguments"])
    assert answer["problem"]["code"] == "approval_required"


async def test_a_no_on_the_page_stands_against_the_clients_own_dialog(tmp_path: Path) -> None:
    house = house_at(tmp_path, APPROVAL="ask")
    async with house.client() as client, visited(house) as visit:
        preview = await previewed(client)
        await visit.answer("/no")
        answer = await call(client, "create_order", preview["create_order_arguments"])
    assert answer["problem"]["code"] == "approval_declined"
    assert house.creates == 0


async def test_the_card_has_every_figure_and_word_of_the_preview(tmp_path: Path) -> None:
    house = house_at(tmp_path)
    async with house.client() as client, visited(house) as visit:
        preview = await previewed(client, message='<b>bold</b> & "quoted"')
        card = html.unescape(await visit.text())
    (group,) = preview["groups"]
    (line,) = group["lines"]
    for shown in (
        preview["payable"]["amount"],
        preview["goods_total"]["amount"],
        preview["freight"]["amount"],
        preview["ship_to"],
        preview["trade_type"],
        preview["flow"],
        preview["out_order_id"],
        preview["approval_code"],
        line["title"],
        line["title_translated"],
        line["option"],
        line["option_translated"],
        quote(line["image"], safe="/"),
        line["offer_id"],
        line["spec_id"],
        line["unit_price"]["amount"],
        line["amount"]["amount"],
        *(warning["message"] for warning in preview["warnings"]),
        'Message to the seller: <b>bold</b> & "quoted"',
    ):
        assert shown in card
    assert f">{line['quantity']} {line['unit']}<" in card


async def test_a_card_says_what_a_line_costs_less_than_its_unit_price(tmp_path: Path) -> None:
    house = House(tmp_path, APPROVAL="require")
    shirts = {"offer_id": "700312458816", "spec_id": "2ad74b0db54e99445eef26d56dc97bdb", "quantity": 3}
    async with house.client() as client, visited(house) as visit:
        await previewed(client)
        assert "less than quantity" not in await visit.text()
        (line,) = (await previewed(client, items=[shirts]))["groups"][0]["lines"]
        assert (line["unit_price"]["amount"], line["amount"]["amount"]) == ("18.50", "52.74")
        assert "2.76 less than quantity × unit price" in await visit.text()


async def test_a_card_says_when_the_same_goods_were_bought_last_and_what_they_cost_then(
    tmp_path: Path,
) -> None:
    clock = Clock()
    house = house_at(tmp_path, clock, APPROVAL="ask")
    async with house.client(clock=clock) as client, visited(house, clock) as visit:
        first = await previewed(client, quantity=2)
        assert "Last time" not in await visit.text(), "it was never bought"
        await call(client, "create_order", first["create_order_arguments"])
        clock.advance(timedelta(days=1).total_seconds())
        house.sandbox.faults.add("price-drift", "preview")
        again = await previewed(client, quantity=5)
        was, now = (each["groups"][0]["lines"][0]["unit_price"]["amount"] for each in (first, again))
        assert was != now
        await visit.sign_in()
        card = await visit.text()
        assert f"Last time {was} on 2026-03-09, now {now} (2 in order {first['out_order_id']})" in card, (
            "the owner's day"
        )
        await visit.http.get("/language/zh")
        assert f"上次 2026-03-09 单价 {was}，现为 {now}" in await visit.text()


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("era", ERAS)
async def test_a_preview_of_a_ledger_that_was_restored_waits_nowhere_and_cannot_be_approved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, era: Era
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    house = house_at(tmp_path)
    async with house.client(era) as client, visited(house) as visit:
        preview = await previewed(client)
        (yes,) = await visit.forms("/yes")
        (witness,) = [
            each for each in (tmp_path / "state").rglob("*") if re.fullmatch("[0-9a-f]{32}", each.name)
        ]
        witness.write_text(f"{999:018} {'f' * 64}\n")  # it knows a row that the ledger has lost
        (pause,) = await visit.forms("/pause")
        assert (await visit.send("/pause", pause)).status_code == 303  # the next write finds it out
        assert await visit.forms("/yes") == []
        answer = await visit.send("/yes", yes)
        assert answer.status_code == 409
        assert "Nothing was changed: this preview is void" in answer.text
        await visit.answer("/resume")
        created = await call(client, "create_order", preview["create_order_arguments"])
        assert created["problem"]["code"] == "token_expired"
    assert "approved" not in await house.events()
    assert "this preview is void" in caplog.text
    listed = await command(house, "approve", "--list")
    assert listed.stdout == "Nothing waits for approval.\n"
    refused = await command(house, "approve", preview["approval_code"])
    assert (refused.exit_code, "this preview is void" in refused.stderr) == (1, True)


async def test_a_forged_digest_is_no_yes_to_what_is_in_the_ledger(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    house = house_at(tmp_path)
    async with house.client() as client, visited(house) as visit:
        for quantity in (2, 3):
            await previewed(client, quantity=quantity)
        newer, older = await visit.forms("/yes")
        for form in (
            older | {"shown": newer["shown"]},
            older | {"shown": "0" * 64},
            older | {"code": newer["code"]},
        ):
            answer = await visit.send("/yes", form)
            assert answer.status_code == 403
            assert "This form was not acted on" in answer.text
        assert len(await visit.forms("/yes")) == 2
    assert await house.trail() == []
    assert sum("page: the form yes was refused" in record.getMessage() for record in caplog.records) == 3


async def test_a_form_is_good_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    house = house_at(tmp_path)
    async with house.client() as client, visited(house) as visit:
        await previewed(client)
        (yes,) = await visit.forms("/yes")
        assert (await visit.send("/yes", yes)).status_code == 303
        replayed = await visit.send("/yes", yes)
        assert replayed.status_code == 403
    assert await house.events() == ["approved"]
    assert "it was sent before" in caplog.text


async def test_a_yes_whose_commit_got_no_answer_is_not_said_to_have_changed_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = house_at(tmp_path)
    async with house.client() as client, visited(house) as visit:
        await previewed(client)
        approve = visit.site.ledger.approve

        async def cut_off(*answer: Any) -> bool:
            await approve(*answer)
            raise LedgerUnavailableError("the connection was lost")

        monkeypatch.setattr(visit.site.ledger, "approve", cut_off)
        (yes,) = await visit.forms("/yes")
        answer = await visit.send("/yes", yes)
        assert answer.status_code == 503
        assert "may be recorded or not" in answer.text
        assert "Nothing was changed" not in answer.text
    assert await house.events() == ["approved"]


async def test_of_very_many_previews_the_newest_are_shown_and_the_others_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "CARDS_SHOWN", 2)
    house = house_at(tmp_path)
    async with house.client() as client, visited(house) as visit:
        previews = [await previewed(client, quantity=quantity) for quantity in (2, 3, 4)]
        forms = await visit.forms("/yes")
        assert [form["code"] for form in forms] == [each["approval_code"] for each in previews[1:]]
        assert "Older ones that wait too and are not shown: 1." in await visit.text()
        assert (await visit.send("/yes", forms[0])).status_code == 303
        (first, _) = await visit.forms("/yes")
        assert first["code"] == previews[0]["approval_code"]
        assert "not shown" not in await visit.text()


async def test_two_tabs_say_yes_once(tmp_path: Path) -> None:
    house = house_at(tmp_path)
    async with house.client() as client, visited(house) as visit:
        await previewed(client)
        (one,), (other,) = await visit.forms("/yes"), await visit.forms("/yes")
        answers = [await visit.send("/yes", form) for form in (one, other)]
        assert [answer.status_code for answer in answers] == [303, 409]
        assert "Nothing was changed: this preview is approved already." in answers[1].text
    assert await house.events() == ["approved"]


async def test_a_no_in_another_tab_takes_the_yes_back_while_nothing_is_ordered(tmp_path: Path) -> None:
    house = house_at(tmp_path)
    async with house.client() as client, visited(house) as visit:
        preview = await previewed(client)
        (yes,), (no,) = await visit.forms("/yes"), await visit.forms("/no")
        answers = [await visit.send(f"/{word}", form) for word, form in (("yes", yes), ("no", no))]
        assert [answer.status_code for answer in answers] == [303, 303]
        created = await call(client, "create_order", preview["create_order_arguments"])
        assert created["problem"]["code"] == "approval_declined"
        assert len(await visit.forms("/yes")) == 1, "it waits again"
    assert await house.events() == ["approved", "approval_withdrawn", "declined"]


async def test_a_preview_whose_number_was_ordered_otherwise_waits_no_longer(tmp_path: Path) -> None:
    """Such as the one that `terms_changed` has replaced: a yes to it would never become an order."""
    house = house_at(tmp_path, APPROVAL="ask")
    async with house.client() as client, visited(house) as visit:
        first, second = [
            await previewed(client, quantity=quantity, out_order_id="Order-0001") for quantity in (2, 3)
        ]
        (yes,) = [form for form in await visit.forms("/yes") if form["code"] == second["approval_code"]]
        await call(client, "create_order", first["create_order_arguments"])
        assert await visit.forms("/yes") == []
        answer = await visit.send("/yes", yes)
        assert answer.status_code == 409
        assert "an order has the number Order-0001 already" in answer.text
        refused = await command(house, "approve", second["approval_code"])
        assert refused.exit_code == 1
        assert "an order has the number Order-0001 already" in refused.stderr
        assert (await command(house, "approve", "--list")).stdout == "Nothing waits for approval.\n"
    assert await house.events() == ["claimed", "placed"]


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_of_two_previews_with_one_number_the_older_says_that_a_newer_one_waits(
    tmp_path: Path, language: str
) -> None:
    """As after `terms_changed`. The older one may still be ordered: its terms can hold again."""
    house = house_at(tmp_path, APPROVAL="ask", RECHECK_AFTER_SECONDS="0")
    async with house.client() as client, visited(house, changes={"LANGUAGE": language}) as visit:
        older = await previewed(client, out_order_id="Order-0001")
        await previewed(client, quantity=5, out_order_id="Order-0002")
        house.sandbox.faults.add("price-drift", "preview")
        answer = await call(client, "create_order", older["create_order_arguments"])
        assert answer["problem"]["code"] == "terms_changed"
        newer = answer["problem"]["preview"]
        cards = (await visit.text()).split("<article")[1:]
        words = {
            "en": "A newer preview with this order number waits, too: {} CNY",
            "zh": "另有更新的预览：{} CNY",
        }
        said = words[language].format(newer["payable"]["amount"])
        marked = [card for card in cards if said in card]
        assert len(cards) == 3
        assert [older["approval_code"] in card for card in marked] == [True]
        listed = (await command(house, "approve", "--list", LANGUAGE=language)).stdout.splitlines()
        of_older = {"en": "a newer preview has this number", "zh": "此编号有更新的预览"}[language]
        assert [line.split()[0] for line in listed if of_older in line] == [older["approval_code"]]
        house.sandbox.faults.clear()
        assert (await call(client, "create_order", older["create_order_arguments"]))["ok"]


async def test_a_card_that_has_expired_meanwhile_is_no_yes(tmp_path: Path) -> None:
    clock = Clock()
    house = house_at(tmp_path, clock)
    async with house.client(clock=clock) as client, visited(house, clock) as visit:
        await previewed(client)
        (yes,) = await visit.forms("/yes")
        clock.advance(timedelta(minutes=10).total_seconds())
        answer = await visit.send("/yes", yes)
        assert answer.status_code == 409
        assert "this preview expired" in answer.text
        assert await visit.forms("/yes") == []
    assert await house.trail() == []


async def test_a_card_whose_order_was_placed_meanwhile_is_no_yes(tmp_path: Path) -> None:
    house = house_at(tmp_path, APPROVAL="ask")
    async with house.client() as client, visited(house) as visit:
        preview = await previewed(client)
        (yes,) = await visit.forms("/yes")
        await call(client, "create_order", preview["create_order_arguments"])
        answer = await visit.send("/yes", yes)
    assert answer.status_code == 409
    assert "this preview was ordered already" in answer.text


@pytest.mark.parametrize(("changes", "asked"), [({}, 1), ({"APPROVAL": "off"}, 0), ({"MODE": "preview"}, 0)])
async def test_where_no_yes_is_needed_none_is_asked_for(
    tmp_path: Path, changes: dict[str, str], asked: int
) -> None:
    async with running_sandbox() as (_, url):
        house = House(tmp_path, **live(url, APPROVAL="require"))
        async with house.client() as client, visited(house, changes=changes) as visit:
            await previewed(client)
            assert len(await visit.forms("/yes")) == asked


async def test_five_hundred_racing_clicks_and_creates_make_one_order(tmp_path: Path) -> None:
    """Yes and no from five browsers, fifty forms each, and a create beside each form."""
    house, dice = house_at(tmp_path), random.Random(14)
    answers: list[dict[str, Any]] = []
    statuses: list[int] = []
    async with house.client() as client, visited(house) as visit:
        preview = await previewed(client)

        async def create() -> None:
            answers.append(await call(client, "create_order", preview["create_order_arguments"]))

        async def click(cookies: dict[str, str], action: str, form: dict[str, str]) -> None:
            cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
            statuses.append((await visit.send(action, form, cookie=cookie)).status_code)

        async def click_and_create(*each: Any) -> None:
            await click(*each)
            await create()

        clicks: list[tuple[dict[str, str], str, dict[str, str]]] = []
        for _ in range(5):
            await visit.sign_in()
            cookies = dict(visit.http.cookies)
            for _ in range(25):
                page = await visit.text()
                clicks += [(cookies, action, forms_in(page, action)[0]) for action in ("/yes", "/no")]
        visit.http.cookies.clear()
        dice.shuffle(clicks)
        async with anyio.create_task_group() as tasks:
            for each in clicks[::2]:
                tasks.start_soon(create)
                tasks.start_soon(click, *each)
            for each in clicks[1::2]:
                tasks.start_soon(click_and_create, *each)
        assert (len(clicks), len(answers)) == (250, 250)
        assert set(statuses) <= {303, 409}, "each form was ours, and acted on or too late"
        assert house.creates <= 1
        if not house.creates:  # a no has ended each create that waited
            await visit.sign_in()
            if await visit.forms("/yes"):
                await visit.answer("/yes")
            await create()
    assert house.creates == 1
    ordered = [answer["order"] for answer in answers if answer["order"]]
    told = {answer["problem"]["code"] for answer in answers if answer["problem"]}
    assert told <= {"approval_declined", "order_in_progress"}
    assert {order["state"] for order in ordered} <= {"placed", "sending"}
    assert {order["out_order_id"] for order in ordered} == {preview["out_order_id"]}
    assert sum(not order["replayed"] for order in ordered) == 1
    counted = Counter(await house.events())
    assert (counted["claimed"], counted["placed"]) == (1, 1)
    assert counted["approved"] == counted["approval_withdrawn"] + 1, "the yes that stood was claimed"

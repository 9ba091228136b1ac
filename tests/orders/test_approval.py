"""No order without the approval that the owner's rule asks for, and the record says how it was had."""

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

import anyio
import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CallToolResult,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
    InputRequiredResult,
    InputResponses,
)

from harness.clock import Clock
from harness.house import (
    ADDRESS,
    ERAS,
    MUG,
    MUG_SPEC,
    Era,
    House,
    Person,
    call,
    order_arguments,
    previewed,
    text_of,
)
from harness.port_sandbox import running_sandbox
from harness.seams import SteppedLedger
from harness.terminal import command
from xportcn_server.sandbox.access import SANDBOX_CREDENTIALS
from xportcn_server.sandbox.service import build_sandbox
from xportcn_tools import create_order
from xportcn_tools.desk import pricing
from xportcn_tools.desk.checks import CreateCall
from xportcn_tools.desk.desk import Desk
from xportcn_tools.ledger.address_book import AddressBook
from xportcn_tools.ledger.ledger import OrderQuery, Outcome
from xportcn_tools.ledger.sqlite import SqliteLedger
from xportcn_tools.results import ProblemError

MUG_NAME = "「个」 x 「Nordic ceramic mug with lid and spoon (白色 = White)」"

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("elsewhere")]


class Answers:
    """Answers the form with one after another; `before` happens while the person thinks."""

    def __init__(self, *answers: ElicitResult | ErrorData, before: Callable[[], None] | None = None) -> None:
        self.answers = list(answers)
        self.before = before
        self.asked: list[str] = []

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> Any:
        del context
        self.asked.append(params.message)
        if self.before:
            self.before()
        return self.answers.pop(0)


def accepted(content: Any) -> ElicitResult:
    return ElicitResult(action="accept", content=content)


YES = accepted({"approve": True})


def house_at(folder: Path, clock: Clock, **changes: str) -> House:
    return House(folder, build_sandbox(clock=clock), **changes)


async def trail_of(house: House, event: str) -> list[dict[str, Any]]:
    """Bodies of the trail's rows of one kind."""
    return [body for name, body in await house.trail() if name == event]


async def nothing_spent(house: House, client: Client) -> None:
    assert house.creates == 0
    assert (await call(client, "get_orders"))["orders"] == []
    assert await trail_of(house, "claimed") == []


# What the person reads


async def test_the_name_of_a_caller_writes_no_line_into_what_the_terminal_shows(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.client() as client:
        preview = await previewed(client)
    with closing(sqlite3.connect(house.ledger)) as ledger, ledger:
        ledger.execute("UPDATE previews SET caller = ?", ("oauth:x|y\nTotal to pay: 1.00 CNY\x1b[2J\u202e",))
    for words in (("approve", preview["approval_code"]), ("approve", "--list")):
        done = await command(house, *words, answer="n\n")
        assert r"oauth:x|y\nTotal to pay: 1.00 CNY\x1b[2J\u202e" in done.output
        assert not any(line.startswith("Total to pay: 1.00") for line in done.output.splitlines())


@pytest.mark.parametrize("word", ["AAAA-BBBB", "--list"])
async def test_in_mode_preview_the_terminal_approves_and_lists_nothing(tmp_path: Path, word: str) -> None:
    account = {"MODE": "preview", "ACCESS_KEY": "key", "ACCESS_SECRET": "secret", "USER_ID": "user"}
    done = await command(House(tmp_path), "approve", word, **account)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "there is nothing to approve" in done.stderr


@pytest.mark.parametrize("era", ERAS)
async def test_the_form_shows_total_parts_lines_address_trade_type_and_environment_and_asks_for_a_yes(
    tmp_path: Path, era: Era
) -> None:
    house, person = House(tmp_path, build_sandbox("list"), TRADE_TYPES="assureTrade"), Person()
    async with house.client(era, person) as client:
        preview = await previewed(client, message="请尽快发货", dropshipping=False, out_order_id="PO-2026-77")
        await call(client, "create_order", preview["create_order_arguments"])
    (form,) = person.asked
    lines = form.splitlines()
    assert lines[0].startswith("[SANDBOX")
    assert lines[1] == "Total to pay: 65.61 CNY = goods 58.00 + freight 6.00 + fees 1.61 - discount 0.00"
    assert f"- 2 {MUG_NAME} offer {MUG} spec {MUG_SPEC} at 29.00: 58.00 CNY" in lines
    assert f"Ship to: {preview['ship_to']}" in lines
    assert all(part in form for part in ADDRESS.values())
    assert "Trade type: assureTrade" in lines
    assert "Flow: general" in lines
    assert "Promotion: none" in lines
    assert "Message to the seller: 请尽快发货" in lines
    assert "Dropshipping: no" in lines
    assert "Order number: PO-2026-77" in lines
    for warning in preview["warnings"]:
        assert f"Note ({warning['code']}): {warning['message']}" in lines
    assert {"unverified_fee"} <= {warning["code"] for warning in preview["warnings"]}
    assert lines[-1].endswith("?")


@pytest.mark.parametrize("era", ERAS)
async def test_a_repeated_question_is_the_same_to_the_letter(tmp_path: Path, era: Era) -> None:
    """Whatever time it is, whatever else is in the ledger, and after a restart: the stored preview decides."""
    clock = Clock()
    house = house_at(tmp_path, clock)
    no = Person("decline")
    async with house.client(era, no, clock=clock) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        await call(client, "create_order", arguments)
        clock.advance(400)
        other = await previewed(client, quantity=3)
        no.action = "accept"
        await call(client, "create_order", other["create_order_arguments"])
        no.action = "decline"
        await call(client, "create_order", arguments)
    house.sandbox.faults.add("price-drift", "preview", times=None)
    async with house.client(era, no, clock=clock) as restarted:
        await call(restarted, "create_order", arguments)
    first, _, *later = no.asked
    assert later == [first, first]


# What the answers do


@pytest.mark.parametrize("era", ERAS)
async def test_a_yes_in_the_form_is_a_verified_approval_on_the_order_and_in_the_trail(
    tmp_path: Path, era: Era
) -> None:
    house, person = House(tmp_path), Person()
    async with house.client(era, person) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        order = (await call(client, "create_order", arguments))["order"]
    assert order["state"] == "placed"
    assert order["approval"] == {"method": "form", "verified": True}
    (claimed,) = await trail_of(house, "claimed")
    assert (claimed["approval_method"], claimed["approval_verified"]) == ("form", True)
    assert house.creates == 1


NO_YES: list[tuple[str, ElicitResult]] = [
    ("a decline", ElicitResult(action="decline")),
    ("a decline with a yes in it", ElicitResult(action="decline", content={"approve": True})),
    ("a cancel", ElicitResult(action="cancel")),
    ("a cancel with a yes in it", ElicitResult(action="cancel", content={"approve": True})),
    ("the form answered with no", accepted({"approve": False})),
    ("an accept without content", ElicitResult(action="accept")),
    ("an empty form", accepted({})),
    ("a word that is no yes", accepted({"approve": "perhaps"})),
    ("an empty word", accepted({"approve": ""})),
    ("null", accepted({"approve": None})),
    ("another field", accepted({"approved": True})),
    ("a number", accepted({"approve": 1})),
    ("a word for yes", accepted({"approve": "yes"})),
    ("the word true", accepted({"approve": "true"})),
    ("a list", accepted({"approve": ["true"]})),
]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(("what", "answer"), NO_YES, ids=[what for what, _ in NO_YES])
async def test_an_answer_that_is_no_plain_yes_spends_nothing_and_keeps_the_token(
    tmp_path: Path, era: Era, what: str, answer: ElicitResult
) -> None:
    house, person = House(tmp_path), Answers(answer, YES)
    async with house.client(era, cast("Any", person)) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        envelope = await call(client, "create_order", arguments)
        problem = envelope["problem"]
        assert problem["code"] == "approval_declined", what
        assert problem["request_sent"] == "no"
        assert envelope["order"] is None
        await nothing_spent(house, client)
        assert (await call(client, "create_order", arguments))["order"]["approval"]["method"] == "form"
    assert house.creates == 1


async def test_a_form_that_is_never_answered_is_no_yes_and_leaves_the_token_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that declares forms and never shows them: here the server's own wait ends it."""
    monkeypatch.setattr(create_order, "ANSWER_SECONDS", 0.01)
    shown = anyio.Event()

    async def never(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        shown.set()
        await anyio.Event().wait()
        raise AssertionError

    house = House(tmp_path)
    async with house.client("legacy", cast("Any", never)) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        with anyio.fail_after(10):
            envelope = await call(client, "create_order", arguments)
        assert shown.is_set()
        assert envelope["problem"]["code"] == "approval_declined"
        assert "in time" in envelope["problem"]["message"]
        await nothing_spent(house, client)
    monkeypatch.undo()
    async with house.client("legacy", Person()) as client:
        assert (await call(client, "create_order", arguments))["order"]["state"] == "placed"


async def test_a_client_that_answers_the_form_with_an_error_has_not_said_yes(tmp_path: Path) -> None:
    person = Answers(ErrorData(code=-32603, message="no forms here after all"), YES)
    house = House(tmp_path)
    async with house.client("legacy", cast("Any", person)) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        problem = (await call(client, "create_order", arguments))["problem"]
        assert problem["code"] == "approval_declined"
        assert "no forms here" not in json.dumps(problem)
        await nothing_spent(house, client)
        assert (await call(client, "create_order", arguments))["ok"]


async def test_a_question_that_a_stateless_client_leaves_open_holds_and_spends_nothing(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    async with house.client("auto", Person()) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        for _ in range(2):
            asked = await client.session.call_tool("create_order", arguments, allow_input_required=True)
            assert isinstance(asked, InputRequiredResult)
            await nothing_spent(house, client)
        assert (await call(client, "create_order", arguments))["order"]["state"] == "placed"


async def test_a_yes_to_one_preview_is_no_yes_to_another(tmp_path: Path) -> None:
    """The stateless protocol lets the client carry answers about: to another preview they are none."""
    house = House(tmp_path)
    async with house.client("auto", Person()) as client:
        cheap = (await previewed(client))["create_order_arguments"]
        dear = (await previewed(client, quantity=30))["create_order_arguments"]
        asked = await client.session.call_tool("create_order", cheap, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        yes = cast("Any", dict.fromkeys(asked.input_requests or {}, YES))
        assert yes
        with pytest.raises(MCPError):
            await client.session.call_tool(
                "create_order",
                dear,
                input_responses=yes,
                request_state=asked.request_state,
                allow_input_required=True,
            )
        unasked = await client.session.call_tool(
            "create_order", dear, input_responses=yes, allow_input_required=True
        )
        assert isinstance(unasked, InputRequiredResult)
        await nothing_spent(house, client)


async def test_a_no_is_heard_from_a_client_that_then_says_that_it_cannot_ask(tmp_path: Path) -> None:
    """Else a declined order would pass as one that nobody could be asked about."""
    house = House(tmp_path)
    server = house.server()
    async with (
        Client(server, mode="auto", elicitation_callback=Person()) as asking,
        Client(server, mode="auto") as silent,
    ):
        arguments = (await previewed(asking))["create_order_arguments"]
        asked = await asking.session.call_tool("create_order", arguments, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        no = dict.fromkeys(asked.input_requests or {}, ElicitResult(action="decline"))
        assert no
        refused = await silent.session.call_tool(
            "create_order", arguments, input_responses=cast("Any", no), request_state=asked.request_state
        )
        assert refused.structured_content is not None
        assert refused.structured_content["problem"]["code"] == "approval_declined"
        await nothing_spent(house, asking)


@pytest.mark.parametrize("era", ERAS)
async def test_an_argument_that_claims_approval_is_refused(tmp_path: Path, era: Era) -> None:
    house, person = House(tmp_path, APPROVAL="require"), Person()
    async with house.client(era, person) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        for name in ("approve", "approved", "approval", "asked", "arrived", "answer"):
            envelope = await call(client, "create_order", arguments | {name: True})
            assert envelope["problem"]["code"] == "invalid_arguments"
            assert name in envelope["problem"]["message"]
        assert person.asked == []
        await nothing_spent(house, client)


@pytest.mark.parametrize(
    ("declared", "can"),
    [
        (None, False),
        (SimpleNamespace(form=None, url=None), True),
        (SimpleNamespace(form=SimpleNamespace(), url=None), True),
        (SimpleNamespace(form=None, url=SimpleNamespace()), False),
        (SimpleNamespace(form=SimpleNamespace(), url=SimpleNamespace()), True),
    ],
    ids=["nothing", "the old bare form", "forms", "links only", "both"],
)
async def test_a_client_can_be_asked_if_it_declares_forms(declared: Any, can: bool) -> None:
    context = SimpleNamespace(client_capabilities=SimpleNamespace(elicitation=declared))
    assert create_order.can_ask(cast("Any", context)) is can


# require


@pytest.mark.parametrize("era", ERAS)
async def test_the_text_of_a_preview_says_where_the_recorded_yes_is_given_unless_the_client_can_ask(
    tmp_path: Path, era: Era
) -> None:
    async def said(person: Person | None) -> tuple[str, str]:
        async with House(tmp_path, APPROVAL="require").client(era, person) as client:
            result = await client.call_tool("preview_order", order_arguments())
            assert isinstance(result, CallToolResult)
            assert result.structured_content
            return text_of(result), result.structured_content["preview"]["approval_code"]

    text, code = await said(None)
    assert "The owner requires a recorded yes before create_order: the person says it on the page" in text
    assert f"by `xportcn-mcp approve {code}`." in text
    assert "recorded yes" not in (await said(Person()))[0]


@pytest.mark.parametrize("era", ERAS)
async def test_where_a_recorded_yes_is_required_and_nobody_can_be_asked_the_way_to_one_is_named(
    tmp_path: Path, era: Era
) -> None:
    house = House(tmp_path, APPROVAL="require")
    async with house.client(era) as client:
        preview = await previewed(client)
        envelope = await call(client, "create_order", preview["create_order_arguments"])
        problem = envelope["problem"]
        assert problem["code"] == "approval_required"
        assert problem["request_sent"] == "no"
        assert f"xportcn-mcp approve {preview['approval_code']}" in problem["next_step"]
        assert envelope["order"] is None
        await nothing_spent(house, client)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("rule", ["ask", "require"])
@pytest.mark.parametrize("can_ask", [False, True], ids=["cannot ask", "can ask"])
async def test_a_yes_in_the_terminal_is_a_verified_approval_and_no_form_is_shown(
    tmp_path: Path, era: Era, rule: Literal["ask", "require"], can_ask: bool
) -> None:
    house, person = House(tmp_path, APPROVAL=rule), Person("decline")
    async with house.client(era, person if can_ask else None) as client:
        preview = await previewed(client)
        done = await command(house, "approve", preview["approval_code"].lower(), answer="y\n")
        assert done.exit_code == 0, done.output
        order = (await call(client, "create_order", preview["create_order_arguments"]))["order"]
    assert order["approval"] == {"method": "operator", "verified": True}
    assert person.asked == []
    assert house.creates == 1
    (approved,) = await trail_of(house, "approved")
    (claimed,) = await trail_of(house, "claimed")
    assert claimed["approval_method"] == "operator"
    assert claimed["preview"] == approved["preview"]


@pytest.mark.parametrize("era", ERAS)
async def test_where_a_recorded_yes_is_required_the_form_gives_one(tmp_path: Path, era: Era) -> None:
    house, person = House(tmp_path, APPROVAL="require"), Person("decline")
    async with house.client(era, person) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        assert (await call(client, "create_order", arguments))["problem"]["code"] == "approval_declined"
        await nothing_spent(house, client)
        person.action = "accept"
        order = (await call(client, "create_order", arguments))["order"]
    assert order["approval"] == {"method": "form", "verified": True}


async def test_the_terminal_shows_the_text_of_the_form(tmp_path: Path) -> None:
    house, person = House(tmp_path), Person("decline")
    async with house.client("auto", person) as client:
        preview = await previewed(client, message="请尽快发货")
        await call(client, "create_order", preview["create_order_arguments"])
        shown = await command(house, "approve", preview["approval_code"], answer="n\n")
    assert person.asked[0] in shown.output
    assert shown.exit_code == 1


async def test_a_no_in_the_terminal_is_a_row_of_the_trail_and_no_approval(tmp_path: Path) -> None:
    house = House(tmp_path, APPROVAL="require")
    async with house.client() as client:
        preview = await previewed(client)
        for answer in ("n\n", "\n", ""):  # the last is no answer at all
            refused = await command(house, "approve", preview["approval_code"], answer=answer)
            assert refused.exit_code == 1
        problem = (await call(client, "create_order", preview["create_order_arguments"]))["problem"]
    assert problem["code"] == "approval_declined"
    assert await trail_of(house, "approved") == []
    assert [row["method"] for row in await trail_of(house, "declined")] == ["operator", "operator"]


@pytest.mark.parametrize("answer", ["n\n", "form"])
async def test_a_no_stands_against_the_clients_own_dialog_until_a_yes(tmp_path: Path, answer: str) -> None:
    house = House(tmp_path)
    async with house.client("auto", Person("decline") if answer == "form" else None) as client:
        preview = await previewed(client)
        if answer == "form":
            await call(client, "create_order", preview["create_order_arguments"])
        else:
            await command(house, "approve", preview["approval_code"], answer=answer)
    async with house.client() as client:  # it cannot ask
        problem = (await call(client, "create_order", preview["create_order_arguments"]))["problem"]
        assert problem["code"] == "approval_declined"
        await nothing_spent(house, client)
        assert (await command(house, "approve", preview["approval_code"], answer="y\n")).exit_code == 0
        order = (await call(client, "create_order", preview["create_order_arguments"]))["order"]
    assert order["approval"] == {"method": "operator", "verified": True}


async def test_a_no_takes_back_a_yes_that_is_not_ordered_yet(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.client("auto", Person("decline")) as client:
        preview = await previewed(client)
        assert (await command(house, "approve", preview["approval_code"], answer="y\n")).exit_code == 0
        async with house.opened() as ledger:
            stored = await ledger.preview_by_code(preview["approval_code"])
            assert stored
            assert await ledger.decline(stored, "page")
            assert [row.event for row in await ledger.trail()] == [
                "approved",
                "approval_withdrawn",
                "declined",
            ]
            assert (await command(house, "audit", "verify")).exit_code == 0
            problem = (await call(client, "create_order", preview["create_order_arguments"]))["problem"]
            assert problem["code"] == "approval_declined"


async def test_a_no_that_comes_before_the_claim_ends_the_create_and_one_after_it_is_too_late(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    other = SqliteLedger(house.ledger, "sandbox")

    async def step(name: str) -> None:
        if name == "claim" and not said:
            stored = await other.preview_by_code(preview["approval_code"])
            assert stored
            said.append(await other.decline(stored, "page"))

    said: list[bool] = []
    stepped = SteppedLedger(SqliteLedger(house.ledger, "sandbox"), step)
    async with house.client(ledger=stepped) as client:
        preview = await previewed(client)
        arguments = preview["create_order_arguments"]
        assert (await call(client, "create_order", arguments))["problem"]["code"] == "approval_declined"
        await nothing_spent(house, client)
        assert (await command(house, "approve", preview["approval_code"], answer="y\n")).exit_code == 0
        assert (await call(client, "create_order", arguments))["order"]["state"] == "placed"
        stored = await other.preview_by_code(preview["approval_code"])
        assert stored
        assert not await other.decline(stored, "page")
    await other.aclose()
    assert said == [True]
    assert len(await trail_of(house, "declined")) == 1


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_no_in_the_form_is_a_row_of_the_trail(
    tmp_path: Path, era: Era, action: Literal["decline", "cancel"]
) -> None:
    house, person = House(tmp_path), Person(action)
    async with house.client(era, person) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        assert (await call(client, "create_order", arguments))["problem"]["code"] == "approval_declined"
        person.action = "accept"
        assert (await call(client, "create_order", arguments))["ok"]
    (declined,), (claimed,) = await trail_of(house, "declined"), await trail_of(house, "claimed")
    assert declined["method"] == "form"
    assert declined["preview"] == claimed["preview"]


async def test_a_preview_waits_for_approval_until_it_has_it(tmp_path: Path) -> None:
    house = House(tmp_path, APPROVAL="require")
    async with house.client() as client:
        assert "Nothing waits" in (await command(house, "approve", "--list")).output
        first, second = await previewed(client), await previewed(client, quantity=3)
        listed = (await command(house, "approve", "--list")).output
        for preview in (first, second):
            (line,) = [line for line in listed.splitlines() if line.startswith(preview["approval_code"])]
            assert preview["payable"]["amount"] in line
            assert preview["ship_to"] in line
            until = datetime.fromisoformat(preview["expires_at"]).astimezone(ZoneInfo("Asia/Shanghai"))
            assert f"until {until:%Y-%m-%d %H:%M:%S} CST" in line
        await command(house, "approve", first["approval_code"], answer="y\n")
        listed = (await command(house, "approve", "--list")).output
    assert first["approval_code"] not in listed
    assert second["approval_code"] in listed


async def test_only_a_preview_that_can_still_be_ordered_can_be_approved(tmp_path: Path) -> None:
    clock = Clock()  # a day of the past: by the terminal's clock that preview is over
    house = house_at(tmp_path, clock)
    async with house.client(clock=clock) as client:
        expired = await previewed(client)
    house.sandbox = build_sandbox()
    async with house.client() as client:
        ordered = await previewed(client)
        await call(client, "create_order", ordered["create_order_arguments"])
        approved = await previewed(client)
        await command(house, "approve", approved["approval_code"], answer="y\n")
    for code, why in (
        ("ZZZZ-ZZZZ", "no preview"),
        (expired["approval_code"], "expired"),
        (ordered["approval_code"], "ordered already"),
        (approved["approval_code"], "approved already"),
    ):
        refused = await command(house, "approve", code, answer="y\n")
        assert refused.exit_code == 1
        assert why in refused.output
        assert "Place this order?" not in refused.output
    assert len(await trail_of(house, "approved")) == 1


async def test_the_terminal_of_a_server_that_creates_nothing_approves_nothing(tmp_path: Path) -> None:
    """Its text would say that nothing is bought, and a live server on the same ledger would order."""
    async with running_sandbox() as (sandbox, base_url):
        account = {
            "ACCESS_KEY": SANDBOX_CREDENTIALS.access_key,
            "ACCESS_SECRET": SANDBOX_CREDENTIALS.access_secret,
            "USER_ID": SANDBOX_CREDENTIALS.user_id,
        }
        house = House(tmp_path, sandbox, MODE="live", BASE_URL=base_url, APPROVAL="require", **account)
        async with house.client() as client:
            preview = await previewed(client)
            refused = await command(house, "approve", preview["approval_code"], answer="y\n", mode="preview")
            assert refused.exit_code == 1
            problem = (await call(client, "create_order", preview["create_order_arguments"]))["problem"]
            assert problem["code"] == "approval_required"
            shown = await command(house, "approve", preview["approval_code"], answer="y\n", mode="live")
            assert shown.exit_code == 0
            assert "[LIVE" in shown.output
            assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]


async def test_a_yes_in_the_terminal_does_not_outlive_the_preview(tmp_path: Path) -> None:
    clock = Clock()
    clock.now = datetime.now(UTC)
    house = house_at(tmp_path, clock, APPROVAL="require")
    async with house.client(clock=clock) as client:
        preview = await previewed(client)
        assert (await command(house, "approve", preview["approval_code"], answer="y\n")).exit_code == 0
        clock.advance(600)
        problem = (await call(client, "create_order", preview["create_order_arguments"]))["problem"]
        assert problem["code"] == "token_expired"
        await nothing_spent(house, client)


@pytest.mark.parametrize("era", ERAS)
async def test_a_yes_in_the_terminal_is_for_the_terms_that_were_shown(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path, APPROVAL="require", RECHECK_AFTER_SECONDS="0")
    async with house.client(era) as client:
        preview = await previewed(client)
        await command(house, "approve", preview["approval_code"], answer="y\n")
        house.sandbox.faults.add("price-drift", "preview", times=None)
        changed = (await call(client, "create_order", preview["create_order_arguments"]))["problem"]
        assert changed["code"] == "terms_changed"
        fresh = changed["preview"]
        assert fresh["approval_code"] != preview["approval_code"]
        again = (await call(client, "create_order", fresh["create_order_arguments"]))["problem"]
        assert again["code"] == "approval_required"
        assert fresh["approval_code"] in again["next_step"]
        await nothing_spent(house, client)


# off, and the client's own dialog


@pytest.mark.parametrize("era", ERAS)
async def test_off_never_asks_and_says_so_on_the_order_and_in_the_trail(tmp_path: Path, era: Era) -> None:
    house, person = House(tmp_path, APPROVAL="off"), Person("decline")
    async with house.client(era, person) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        order = (await call(client, "create_order", arguments))["order"]
        listed = (await call(client, "get_orders"))["orders"]
    assert order["approval"] == {"method": "off", "verified": False}
    assert listed[0]["approval"] == order["approval"]
    assert person.asked == []
    (claimed,) = await trail_of(house, "claimed")
    assert (claimed["approval_method"], claimed["approval_verified"]) == ("off", False)


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_cannot_ask_vouches_by_its_dialog_which_is_not_verified(
    tmp_path: Path, era: Era
) -> None:
    house = House(tmp_path)
    async with house.client(era) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        order = (await call(client, "create_order", arguments))["order"]
        again = (await call(client, "create_order", arguments))["order"]
    assert order["approval"] == again["approval"] == {"method": "client_dialog", "verified": False}
    (claimed,) = await trail_of(house, "claimed")
    assert (claimed["approval_method"], claimed["approval_verified"]) == ("client_dialog", False)


# Nobody is asked to approve what cannot be placed


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("echo_mismatch", {}),
        ("unknown_token", {}),
        ("token_expired", {}),
        ("duplicate_reference", {}),
        ("earlier_order_unknown", {}),
        ("ledger_unavailable", {}),
        ("over_limit", {"MAX_ORDER_CNY": "63.99"}),
        ("over_limit", {"MAX_DAY_CNY": "63.99"}),
        ("over_limit", {"MAX_DAY_ORDERS": "0"}),
    ],
)
async def test_nobody_is_asked_about_what_cannot_be_placed(
    tmp_path: Path, era: Era, code: str, changes: dict[str, str]
) -> None:
    clock = Clock()
    house, person = house_at(tmp_path, clock, **changes), Person()
    async with house.client(era, person, clock=clock) as client:
        arguments = (await previewed(client, out_order_id="PO-2026-1"))["create_order_arguments"]
        if code == "echo_mismatch":
            arguments["ship_to"] += "0"
        if code == "unknown_token":
            arguments["preview_token"] += "0"
        if code == "token_expired":
            clock.advance(600)
        if code == "duplicate_reference":
            other = await previewed(client, out_order_id="PO-2026-1")
            assert (await call(client, "create_order", other["create_order_arguments"]))["ok"]
        if code == "earlier_order_unknown":
            other = await previewed(client)
            house.sandbox.faults.add("http-502", "create")
            lost = await call(client, "create_order", other["create_order_arguments"])
            assert lost["problem"]["code"] == "outcome_unknown"
        if code == "ledger_unavailable":
            house.ledger.rename(tmp_path / "elsewhere.sqlite3")
        before, asked = house.creates, len(person.asked)
        problem = (await call(client, "create_order", arguments))["problem"]
        assert problem["code"] == code
        assert problem["request_sent"] == "no"
        assert len(person.asked) == asked
        assert house.creates == before


@pytest.mark.parametrize("era", ERAS)
async def test_an_order_that_was_refused_before_the_question_is_not_placed_when_the_reason_goes_away(
    tmp_path: Path, era: Era, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the question that was not put and the order, somebody settles what stood in the way."""
    house, person = House(tmp_path), Person()
    question = Desk.question

    async def settled_meanwhile(self: Desk, call: CreateCall, *, asked_before: bool = False) -> str | None:
        try:
            return await question(self, call, asked_before=asked_before)
        except ProblemError:
            async with house.opened() as ledger:
                (unknown,) = await ledger.orders(OrderQuery(None, states=("unknown",)))
                await ledger.resolve(unknown.order_key, Outcome("absent", "unknown"), "resolved_by_operator")
            raise

    async with house.client(era, person) as client:
        lost = await previewed(client)
        house.sandbox.faults.add("http-502", "create")
        await call(client, "create_order", lost["create_order_arguments"])
        arguments = (await previewed(client))["create_order_arguments"]
        monkeypatch.setattr(Desk, "question", settled_meanwhile)
        before, asked = house.creates, len(person.asked)
        problem = (await call(client, "create_order", arguments))["problem"]
        assert problem["code"] == "earlier_order_unknown"
        assert house.creates == before
        assert len(person.asked) == asked
        assert (await call(client, "create_order", arguments))["ok"]
        assert len(person.asked) == asked + 1


@pytest.mark.parametrize("era", ERAS)
async def test_an_order_that_nobody_was_asked_about_is_not_placed_when_its_address_is_put_back(
    tmp_path: Path, era: Era, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A saved address that has changed puts no question; before the order, its owner changes it back."""
    house, person = House(tmp_path), Person()
    book = AddressBook(tmp_path / "addresses.json")
    book.save("home", ADDRESS)
    question = Desk.question

    async def put_back(self: Desk, call: CreateCall, *, asked_before: bool = False) -> str | None:
        text = await question(self, call, asked_before=asked_before)
        book.save("home", ADDRESS)
        return text

    async with house.client(era, person) as client:
        preview = await previewed(client, address=None, address_name="home")
        book.save("home", ADDRESS | {"address": "网商路700号"})
        monkeypatch.setattr(Desk, "question", put_back)
        problem = (await call(client, "create_order", preview["create_order_arguments"]))["problem"]
        assert (problem["code"], house.creates, person.asked) == ("approval_declined", 0, [])
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
        assert len(person.asked) == 1


# Time


@pytest.mark.parametrize("era", ERAS)
async def test_a_yes_that_comes_after_the_expiry_orders_nothing(tmp_path: Path, era: Era) -> None:
    clock = Clock()
    house = house_at(tmp_path, clock)
    person = Answers(YES, before=lambda: clock.advance(700))
    async with house.client(era, cast("Any", person), clock=clock) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        problem = (await call(client, "create_order", arguments))["problem"]
        assert (problem["code"], problem["request_sent"]) == ("token_expired", "no")
        await nothing_spent(house, client)


@pytest.mark.parametrize("era", ERAS)
async def test_a_yes_that_comes_just_before_the_expiry_is_taken_after_another_look_at_the_price(
    tmp_path: Path, era: Era
) -> None:
    clock = Clock()
    house = house_at(tmp_path, clock)
    person = Answers(YES, before=lambda: clock.advance(599))
    async with house.client(era, cast("Any", person), clock=clock) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        order = (await call(client, "create_order", arguments))["order"]
    assert order["state"] == "placed"
    assert house.sandbox.books.received["preview"] == 2


@pytest.mark.parametrize("era", ERAS)
async def test_terms_that_change_while_the_person_thinks_are_not_ordered(tmp_path: Path, era: Era) -> None:
    clock = Clock()
    house = house_at(tmp_path, clock)

    def drift() -> None:
        clock.advance(60)
        house.sandbox.faults.add("price-drift", "preview")

    async with house.client(era, cast("Any", Answers(YES, before=drift)), clock=clock) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        problem = (await call(client, "create_order", arguments))["problem"]
        assert problem["code"] == "terms_changed"
        await nothing_spent(house, client)


async def test_the_ledger_that_holds_approvals_is_for_its_owner_alone(tmp_path: Path) -> None:
    if os.name != "posix":
        pytest.skip("file modes are POSIX's")
    house = House(tmp_path)
    async with house.client() as client:
        await previewed(client)
        for suffix in ("", "-wal", "-shm"):
            file = house.ledger.with_name(house.ledger.name + suffix)
            assert file.stat().st_mode & 0o077 == 0, file


@pytest.mark.parametrize("era", ERAS)
async def test_a_no_counts_though_the_operator_has_said_yes_meanwhile(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path)

    class Decliner(Person):
        async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
            async with house.opened() as ledger:
                for preview in await ledger.waiting():
                    await ledger.approve(preview)
            return await super().__call__(context, params)

    async with house.client(era, Decliner("decline")) as client:
        preview = await previewed(client)
        envelope = await call(client, "create_order", preview["create_order_arguments"])
    assert envelope["problem"]["code"] == "approval_declined"
    assert house.creates == 0


async def test_an_answer_from_a_client_that_no_longer_says_it_can_ask_is_no_approval(tmp_path: Path) -> None:
    """The stateless protocol names the client's abilities in every call: a retry may name fewer."""
    house, person = House(tmp_path), Person("decline")
    async with house.client("auto", person) as client:
        preview = await previewed(client)
        arguments = preview["create_order_arguments"]
        session = client.session
        first = await session.call_tool("create_order", arguments, allow_input_required=True)
        assert isinstance(first, InputRequiredResult)
    async with house.client("auto") as mute:
        answers: InputResponses = {key: ElicitResult(action="decline") for key in first.input_requests or {}}
        second = await mute.session.call_tool(
            "create_order",
            arguments,
            input_responses=answers,
            allow_input_required=True,
        )
    assert isinstance(second, CallToolResult)
    assert second.structured_content is not None
    assert second.structured_content["problem"]["code"] == "approval_declined"
    assert house.creates == 0


@pytest.mark.parametrize("rule", ["ask", "require", "off"])
@pytest.mark.parametrize("era", ERAS)
async def test_up_to_the_owners_total_no_question_is_asked_and_above_it_the_rule_for_approvals_holds(
    tmp_path: Path, era: Era, rule: str
) -> None:
    person = Person()
    house = House(tmp_path, APPROVAL=rule, ASK_ABOVE_CNY="64")
    async with house.client(era, person) as client:
        small = await previewed(client)
        assert small["payable"]["amount"] == "64.00"
        order = (await call(client, "create_order", small["create_order_arguments"]))["order"]
        assert (order["approval"], person.asked) == ({"method": "rule", "verified": False}, [])

        large = await previewed(client, quantity=3)
        order = (await call(client, "create_order", large["create_order_arguments"]))["order"]
    asked = rule != "off"
    assert order["approval"] == {"method": "form" if asked else "off", "verified": asked}
    assert len(person.asked) == asked
    (claim, _) = await trail_of(house, "claimed")
    assert claim["approval_method"] == "rule"


async def test_without_a_total_of_the_owners_every_order_needs_a_question(tmp_path: Path) -> None:
    person = Person("decline")
    async with House(tmp_path).client(person=person) as client:
        ready = (await previewed(client))["create_order_arguments"]
        envelope = await call(client, "create_order", ready)
    assert envelope["problem"]["code"] == "approval_declined"
    assert len(person.asked) == 1


async def test_a_code_that_another_waiting_preview_has_is_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pricing, "_code", iter(["AAAA-AAAA", "AAAA-AAAA", "BBBB-BBBB"]).__next__)
    async with House(tmp_path).client() as client:
        first, second = await previewed(client), await previewed(client, quantity=3)
        assert (first["approval_code"], second["approval_code"]) == ("AAAA-AAAA", "BBBB-BBBB")
        order = await call(client, "create_order", second["create_order_arguments"])
    assert order["order"]["state"] == "placed"

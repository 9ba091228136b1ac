"""Two callers of one server: neither sees, spends or settles what is the other's. A test per door."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client, MCPError
from mcp_types import CallToolResult, InputRequiredResult, PromptReference, ResourceTemplateReference

from harness.house import ERAS, Era, Person, call, order_arguments, previewed
from harness.over_http import ACCEPT, INITIALIZE, STATE_KEY, bearer, client_of, made_callers, serving, yes_to
from harness.settings import settings_for
from xportcn_server.parts import Seams, ledger_of
from xportcn_server.sandbox.service import Sandbox, build_sandbox

pytestmark = pytest.mark.anyio


@dataclass
class Two:
    """Two callers' clients, on one server."""

    alice: Client
    bob: Client
    sandbox: Sandbox

    @property
    def creates(self) -> int:
        return self.sandbox.books.received["create"]


@asynccontextmanager
async def two(
    folder: Path, era: Era = "auto", person: Person | None = None, **changes: str
) -> AsyncGenerator[Two]:
    path = folder / "callers.toml"
    tokens = made_callers(path, "alice", "bob")
    settings = settings_for(folder / "ledger.sqlite3", CALLERS=str(path), **changes)
    sandbox = build_sandbox()
    with anyio.fail_after(60):
        async with (
            serving(settings, Seams(sandbox=sandbox), ledger_of(settings)) as url,
            client_of(url, tokens["alice"], era, person) as alice,
            client_of(url, tokens["bob"], era, person) as bob,
        ):
            yield Two(alice, bob, sandbox)


async def ordered(client: Client, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A preview and what was ordered by it."""
    preview = await previewed(client, **changes)
    return preview, (await call(client, "create_order", preview["create_order_arguments"]))["order"]


def without_words(problem: dict[str, Any], *words: str) -> dict[str, Any]:
    """A problem with what the caller itself has named taken out."""
    text = {name: str(value) for name, value in problem.items()}
    for word in words:
        text = {name: value.replace(word, "…") for name, value in text.items()}
    return text


@pytest.mark.parametrize("era", ERAS)
async def test_anothers_token_orders_nothing_and_looks_like_one_that_was_never_given(
    tmp_path: Path, era: Era
) -> None:
    async with two(tmp_path, era) as here:
        arguments = (await previewed(here.alice))["create_order_arguments"]
        made_up = arguments | {"preview_token": "pv_" + "0" * 33}
        stolen, guessed = [await call(here.bob, "create_order", each) for each in (arguments, made_up)]
        assert stolen["problem"]["code"] == "unknown_token"
        assert stolen == guessed
        assert here.creates == 0
        mine = await call(here.alice, "create_order", arguments)
        assert mine["order"]["state"] == "placed"
        # And once it is ordered, neither is the outcome told.
        assert await call(here.bob, "create_order", arguments) == guessed


@pytest.mark.parametrize("wrong", [{"expected_total": "0.01"}, {"ship_to": "elsewhere"}])
async def test_anothers_token_tells_nothing_of_its_preview_by_what_is_wrong_with_the_call(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    async with two(tmp_path) as here:
        arguments = (await previewed(here.alice))["create_order_arguments"]
        answer = await call(here.bob, "create_order", arguments | wrong)
    assert answer["problem"]["code"] == "unknown_token"


@pytest.mark.parametrize("era", ERAS)
async def test_anothers_orders_are_found_by_no_reference(tmp_path: Path, era: Era) -> None:
    async with two(tmp_path, era) as here:
        preview, order = await ordered(here.alice, out_order_id="PO-2026-0001")
        waiting = await previewed(here.alice, out_order_id="PO-2026-0002", quantity=3)
        (order_id,) = order["order_ids"]
        never = await call(here.bob, "get_orders", {"reference": "PO-2026-9999"})
        assert never["problem"]["code"] == "not_found"
        for reference in (
            preview["preview_token"],
            "PO-2026-0001",
            order_id,
            waiting["preview_token"],
            "PO-2026-0002",
            preview["approval_code"],
        ):
            for state in ({}, {"state": "placed"}):
                told = await call(here.bob, "get_orders", {"reference": reference, **state})
                assert without_words(told["problem"], reference) == without_words(
                    never["problem"], "PO-2026-9999"
                )
        assert (await call(here.bob, "get_orders"))["orders"] == []
        assert (await call(here.bob, "get_orders", {"state": "placed", "limit": 50}))["orders"] == []
        (mine,) = (await call(here.alice, "get_orders", {"reference": order_id}))["orders"]
    assert mine["out_order_id"] == "PO-2026-0001"


@pytest.mark.parametrize("era", ERAS)
async def test_anothers_order_is_no_resource_and_no_subject_of_a_prompt(tmp_path: Path, era: Era) -> None:
    async with two(tmp_path, era) as here:
        _, order = await ordered(here.alice, out_order_id="PO-2026-0001")
        (order_id,) = order["order_ids"]
        for reference in ("PO-2026-0001", order_id, "PO-2026-9999"):
            with pytest.raises(MCPError) as refused:
                await here.bob.read_resource(f"order://{reference}")
            assert (refused.value.code, refused.value.message) == (
                -32602,
                f"Unknown resource: order://{reference}",
            )
            for prompt in ("reorder", "resolve_unknown"):
                with pytest.raises(MCPError) as refused:
                    await here.bob.get_prompt(prompt, {"reference": reference})
                assert refused.value.message.startswith("not_found: ")
        recent = [await each.read_resource("orders://recent") for each in (here.bob, here.alice)]
        assert "No orders yet." in str(recent[0].contents)
        assert "PO-2026-0001" not in str(recent[0].contents)
        assert "PO-2026-0001" in str(recent[1].contents)
        assert "64.00" in str((await here.alice.read_resource(f"order://{order_id}")).contents)
        assert "64.00" in str((await here.alice.get_prompt("reorder", {"reference": order_id})).messages)


@pytest.mark.parametrize("era", ERAS)
async def test_a_completion_names_only_the_callers_own_references(tmp_path: Path, era: Era) -> None:
    refs = (
        PromptReference(name="reorder"),
        PromptReference(name="resolve_unknown"),
        ResourceTemplateReference(uri="order://{reference}"),
    )
    async with two(tmp_path, era) as here:
        for number, client in enumerate((here.alice, here.bob)):
            await ordered(client, out_order_id=f"PO-placed-{number}")
            here.sandbox.faults.add("cut-json", "create")
            await ordered(client, out_order_id=f"PO-unknown-{number}", quantity=3)
            here.sandbox.faults.clear()
        for number, client in enumerate((here.alice, here.bob)):
            found = [
                (await client.complete(ref, {"name": "reference", "value": "PO-"})).completion.values
                for ref in refs
            ]
            both = [f"PO-unknown-{number}", f"PO-placed-{number}"]
            assert found == [both, both[:1], both]


async def test_a_number_of_another_caller_is_only_said_to_be_taken(tmp_path: Path) -> None:
    async with two(tmp_path) as here:
        await previewed(here.alice, out_order_id="PO-2026-0002")
        # A number that was only previewed is nobody's yet.
        assert (await previewed(here.bob, out_order_id="PO-2026-0002"))["preview_token"]
        _, order = await ordered(here.alice, out_order_id="PO-2026-0001", quantity=3)
        told = await call(here.bob, "preview_order", order_arguments(out_order_id="PO-2026-0001"))
    problem = told["problem"]
    assert problem["code"] == "duplicate_reference"
    assert (told["preview"], problem["preview"], problem["request_id"]) == (None,) * 3
    text = str(told)
    for secret in (*order["order_ids"], "alice", order["payable"]["amount"], order["created_at"], "placed"):
        assert secret not in text


async def test_one_of_two_who_previewed_the_same_number_gets_it_and_the_other_is_told_so(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as here:
        first = await previewed(here.alice, out_order_id="PO-2026-0001")
        second = await previewed(here.bob, out_order_id="PO-2026-0001")
        placed = await call(here.alice, "create_order", first["create_order_arguments"])
        late = await call(here.bob, "create_order", second["create_order_arguments"])
        listed = await call(here.bob, "get_orders", {"reference": "PO-2026-0001"})
    assert placed["order"]["state"] == "placed"
    assert late["problem"]["code"] == "duplicate_reference"
    assert late["order"] is None
    assert (listed["ok"], listed["orders"]) == (True, [])  # bob's own preview has this number
    assert here.creates == 1


async def test_an_order_of_unknown_outcome_blocks_and_warns_its_caller_alone(tmp_path: Path) -> None:
    async with two(tmp_path) as here:
        here.sandbox.faults.add("cut-json", "create")
        preview = await previewed(here.alice)
        lost = await call(here.alice, "create_order", preview["create_order_arguments"])
        assert lost["problem"]["code"] == "outcome_unknown"
        (warning,) = (await previewed(here.alice))["warnings"]
        assert warning["code"] == "earlier_order_unknown"
        theirs = await previewed(here.bob)
        assert theirs["warnings"] == []
        answer = await call(here.bob, "create_order", theirs["create_order_arguments"])
    assert answer["order"]["state"] == "placed"


async def test_a_recent_order_of_the_same_goods_warns_its_caller_alone(tmp_path: Path) -> None:
    async with two(tmp_path) as here:
        await ordered(here.alice)
        assert [each["code"] for each in (await previewed(here.alice))["warnings"]] == [
            "recent_identical_order"
        ]
        assert (await previewed(here.bob))["warnings"] == []


async def test_each_caller_has_the_caps_of_a_day_to_itself(tmp_path: Path) -> None:
    async with two(tmp_path, MAX_DAY_ORDERS="1") as here:
        await ordered(here.alice)
        over = await call(here.alice, "create_order", (await previewed(here.alice))["create_order_arguments"])
        assert over["problem"]["code"] == "over_limit"
        _, order = await ordered(here.bob)
    assert order["state"] == "placed"


@pytest.mark.parametrize("era", ERAS)
async def test_anothers_token_asks_nobody(tmp_path: Path, era: Era) -> None:
    person = Person()
    async with two(tmp_path, era, person) as here:
        arguments = (await previewed(here.alice))["create_order_arguments"]
        answer = await call(here.bob, "create_order", arguments)
    assert answer["problem"]["code"] == "unknown_token"
    assert person.asked == []


@pytest.mark.parametrize("keys", ["", STATE_KEY], ids=["own keys", "shared keys"])
async def test_a_form_that_one_was_asked_cannot_be_answered_by_the_other(tmp_path: Path, keys: str) -> None:
    changes = {"STATE_KEYS": keys} if keys else {}
    async with two(tmp_path, "auto", Person(), APPROVAL="require", **changes) as here:
        arguments = (await previewed(here.alice))["create_order_arguments"]
        asked = await here.alice.session.call_tool("create_order", arguments, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        assert asked.input_requests
        yes = yes_to(asked)
        for state in (asked.request_state, None):
            refused: object
            try:
                refused = await here.bob.session.call_tool(
                    "create_order",
                    arguments,
                    input_responses=yes,
                    request_state=state,
                    allow_input_required=True,
                )
            except MCPError as error:
                refused = error
            if isinstance(refused, CallToolResult):
                assert refused.structured_content
                assert refused.structured_content["problem"]["code"] == "unknown_token"
            assert not isinstance(refused, InputRequiredResult)
        assert here.creates == 0
        # The question is still open for the one who was asked.
        answered = await here.alice.session.call_tool(
            "create_order",
            arguments,
            input_responses=yes,
            request_state=asked.request_state,
            allow_input_required=True,
        )
        assert isinstance(answered, CallToolResult)
        assert answered.structured_content
        assert answered.structured_content["order"]["approval"] == {"method": "form", "verified": True}
    assert here.creates == 1


async def test_a_state_of_one_question_answers_no_other(tmp_path: Path) -> None:
    async with two(tmp_path, "auto", Person(), APPROVAL="require", STATE_KEYS=STATE_KEY) as here:
        cheap, dear = [
            (await previewed(here.alice, quantity=quantity))["create_order_arguments"] for quantity in (2, 4)
        ]
        asked = await here.alice.session.call_tool("create_order", cheap, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        yes = yes_to(asked)
        with pytest.raises(MCPError):
            await here.alice.session.call_tool(
                "create_order",
                dear,
                input_responses=yes,
                request_state=asked.request_state,
                allow_input_required=True,
            )
    assert here.creates == 0


async def test_a_yes_sent_along_with_a_call_that_nobody_was_asked_about_is_none(tmp_path: Path) -> None:
    async with two(tmp_path, "auto", Person(), APPROVAL="require", STATE_KEYS=STATE_KEY) as here:
        first, second = [(await previewed(here.alice))["create_order_arguments"] for _ in range(2)]
        asked = await here.alice.session.call_tool("create_order", first, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        yes = yes_to(asked)
        outcome = await here.alice.session.call_tool(
            "create_order", second, input_responses=yes, allow_input_required=True
        )
    assert isinstance(outcome, InputRequiredResult)
    assert here.creates == 0


async def test_a_session_of_one_is_nothing_to_the_other(tmp_path: Path) -> None:
    """The older protocol: the session id is no secret, the token is."""
    path = tmp_path / "callers.toml"
    tokens = made_callers(path, "alice", "bob")
    settings = settings_for(tmp_path / "ledger.sqlite3", CALLERS=str(path))

    with anyio.fail_after(30):
        async with (
            serving(settings, Seams(), ledger_of(settings)) as url,
            httpx.AsyncClient(base_url=url, trust_env=False) as http,
        ):
            opened = await http.post("/mcp", headers=ACCEPT | bearer(tokens["alice"]), json=INITIALIZE)
            session = {"mcp-session-id": opened.headers["mcp-session-id"], **ACCEPT}
            listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
            theirs = await http.post("/mcp", headers=session | bearer(tokens["bob"]), json=listing)
            ended = await http.delete("/mcp", headers=session | bearer(tokens["bob"]))
            mine = await http.post("/mcp", headers=session | bearer(tokens["alice"]), json=listing)
    assert (theirs.status_code, ended.status_code, mine.status_code) == (404, 404, 200)

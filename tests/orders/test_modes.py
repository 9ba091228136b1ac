"""What each mode may do, and that it says which one it is wherever somebody might take it for another."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp_types import CallToolResult

from harness.house import ERAS, Era, House, Person, call, order_arguments, previewed, settings_for, text_of
from harness.port_sandbox import running_sandbox
from harness.settings import SANDBOX_ACCOUNT, load_settings
from xportcn_server.app import build_server
from xportcn_server.sandbox.service import Sandbox
from xportcn_server.settings.loaded import SettingsError

pytestmark = pytest.mark.anyio


def account(base_url: str) -> dict[str, str]:
    return {"BASE_URL": base_url} | SANDBOX_ACCOUNT


@asynccontextmanager
async def upstream() -> AsyncGenerator[tuple[Sandbox, str]]:
    """An upstream that answers on a port as the real one would."""
    async with running_sandbox() as running:
        yield running


def house_of(folder: Path, sandbox: Sandbox, base_url: str, mode: str, **changes: str) -> House:
    return House(folder, sandbox, **account(base_url) | {"MODE": mode} | changes)


async def results_of_everything(client: Client) -> list[tuple[str, str]]:
    """Environment and text of every kind of result that a client can meet."""
    preview = (await call(client, "preview_order", order_arguments()))["preview"]
    calls: list[tuple[str, dict[str, Any]]] = [
        ("preview_order", order_arguments()),
        ("preview_order", order_arguments(quantity=1)),  # below the seller's minimum
        ("preview_order", order_arguments(quantity=0)),
        ("preview_order", {}),
        ("create_order", {}),
        ("create_order", preview["create_order_arguments"] | {"expected_total": "1"}),
        ("create_order", preview["create_order_arguments"]),
        ("create_order", preview["create_order_arguments"]),
        ("create_order", preview["create_order_arguments"] | {"preview_token": "pv_nobodys"}),
        ("get_orders", {}),
        ("get_orders", {"reference": "nobodys-reference"}),
        ("get_orders", {"limit": 0}),
    ]
    found: list[tuple[str, str]] = []
    for tool, arguments in calls:
        result = await client.call_tool(tool, arguments)
        assert result.structured_content is not None
        found.append((result.structured_content["environment"], text_of(result)))
    return found


# preview


@pytest.mark.parametrize("era", ERAS)
async def test_in_preview_mode_prices_are_shown_and_creating_is_refused_without_asking_anybody(
    tmp_path: Path, era: Era
) -> None:
    async with upstream() as (sandbox, base_url):
        house, person = house_of(tmp_path, sandbox, base_url, "preview"), Person()
        async with house.client(era, person) as client:
            preview = await previewed(client)
            envelope = await call(client, "create_order", preview["create_order_arguments"])
            listed = (await call(client, "get_orders"))["orders"]
    assert preview["payable"]["amount"] == "64.00"
    problem = envelope["problem"]
    assert (problem["code"], problem["request_sent"]) == ("orders_disabled", "no")
    assert "mode preview" in problem["message"]
    assert "XPORTCN_MODE=live" in problem["next_step"]
    assert envelope["order"] is None
    assert listed == []
    assert person.asked == []
    assert sandbox.books.received["preview"] == 1
    assert sandbox.books.received["create"] == 0


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("rule", ["ask", "require", "off"])
async def test_no_rule_of_approval_lets_preview_mode_create(tmp_path: Path, era: Era, rule: str) -> None:
    async with upstream() as (sandbox, base_url):
        house = house_of(tmp_path, sandbox, base_url, "preview", APPROVAL=rule)
        async with house.client(era, Person()) as client:
            preview = await previewed(client)
            async with house.opened("real") as ledger:
                stored = await ledger.preview_by_code(preview["approval_code"])
                assert stored is not None
                await ledger.approve(stored)
            problem = (await call(client, "create_order", preview["create_order_arguments"]))["problem"]
        assert problem["code"] == "orders_disabled"
        assert sandbox.books.received["create"] == 0
        async with house.client(era) as client:  # which cannot ask
            result = await client.call_tool("preview_order", order_arguments())
        assert isinstance(result, CallToolResult)
        assert "recorded yes" not in text_of(result), "there is nothing to say yes to"


async def test_preview_mode_still_tells_what_became_of_orders_that_were_placed(tmp_path: Path) -> None:
    async with upstream() as (sandbox, base_url):
        live = house_of(tmp_path, sandbox, base_url, "live")
        async with live.client() as client:
            arguments = (await previewed(client))["create_order_arguments"]
            order = (await call(client, "create_order", arguments))["order"]
        looking = house_of(tmp_path, sandbox, base_url, "preview")
        async with looking.client() as client:
            again = await call(client, "create_order", arguments)
            listed = (await call(client, "get_orders"))["orders"]
        assert again["order"] == order | {"replayed": True}
        assert listed == [order]
        assert sandbox.books.received["create"] == 1


# Every mode says its name


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("sandbox", ("SANDBOX", "nothing real")),
        ("preview", ("PREVIEW", "create_order is refused", "orders_disabled")),
        ("live", ("LIVE", "real orders", "real money")),
    ],
)
async def test_the_instructions_begin_with_the_mode(
    tmp_path: Path, era: Era, mode: str, words: tuple[str, ...]
) -> None:
    async with (
        upstream() as (sandbox, base_url),
        house_of(tmp_path, sandbox, base_url, mode).client(era) as client,
    ):
        instructions = client.instructions or ""
    first = instructions.split(". ", 1)[0]
    assert words[0] in first
    assert all(word in first for word in words)
    others = {"SANDBOX", "PREVIEW", "LIVE"} - {words[0]}
    assert not any(other in instructions for other in others)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("mode", "label"), [("sandbox", "[SANDBOX"), ("preview", "[PREVIEW MODE"), ("live", "[LIVE")]
)
async def test_every_result_names_the_mode_in_its_field_and_in_its_text(
    tmp_path: Path, era: Era, mode: str, label: str
) -> None:
    async with (
        upstream() as (sandbox, base_url),
        house_of(tmp_path, sandbox, base_url, mode).client(era) as client,
    ):
        found = await results_of_everything(client)
    assert {environment for environment, _ in found} == {mode}
    assert all(text.startswith(label) for _, text in found)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(("mode", "word"), [("sandbox", "SANDBOX"), ("live", "LIVE: real orders")])
async def test_the_form_begins_with_the_mode(tmp_path: Path, era: Era, mode: str, word: str) -> None:
    person = Person("decline")
    async with (
        upstream() as (sandbox, base_url),
        house_of(tmp_path, sandbox, base_url, mode).client(era, person) as client,
    ):
        await call(client, "create_order", (await previewed(client))["create_order_arguments"])
    assert person.asked[0].startswith(f"[{word}")


@pytest.mark.parametrize(("mode", "lines"), [("sandbox", 0), ("preview", 0), ("live", 1)])
async def test_a_live_server_says_so_in_the_log_when_it_starts_and_no_other_does(
    tmp_path: Path, mode: str, lines: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):  # what is logged unless the owner asks for less
        async with (
            upstream() as (sandbox, base_url),
            house_of(tmp_path, sandbox, base_url, mode).client() as client,
        ):
            await call(client, "get_orders")
    said = [record for record in caplog.records if "live" in record.getMessage()]
    assert len(said) == lines
    assert all("real orders" in record.getMessage() for record in said)


# Nothing real by accident


@pytest.mark.parametrize("era", ERAS)
async def test_in_the_sandbox_nothing_leaves_the_process_even_with_an_account_at_hand(
    tmp_path: Path, era: Era
) -> None:
    async with upstream() as (real, base_url):
        house = House(tmp_path, **account(base_url))
        async with house.client(era) as client:
            arguments = (await previewed(client))["create_order_arguments"]
            assert (await call(client, "create_order", arguments))["environment"] == "sandbox"
        assert house.creates == 1
        assert real.books.received.total() == 0


async def test_the_sandbox_is_what_a_server_without_settings_is(tmp_path: Path) -> None:
    settings = load_settings({"XPORTCN_LEDGER": str(tmp_path / "l")}, tmp_path)
    async with Client(build_server(settings)) as client:
        assert (await call(client, "get_orders"))["environment"] == "sandbox"


async def test_a_token_of_the_sandbox_is_worth_nothing_live_on_the_same_ledger(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        arguments = (await previewed(client))["create_order_arguments"]
        placed = await previewed(client, quantity=3)
        order = (await call(client, "create_order", placed["create_order_arguments"]))["order"]
    async with upstream() as (sandbox, base_url):
        async with house_of(tmp_path, sandbox, base_url, "live").client() as client:
            for token in (arguments, placed["create_order_arguments"]):
                assert (await call(client, "create_order", token))["problem"]["code"] == "unknown_token"
            assert (await call(client, "get_orders"))["orders"] == []
            reference = {"reference": order["out_order_id"]}
            assert (await call(client, "get_orders", reference))["problem"]["code"] == "not_found"
        assert sandbox.books.received["create"] == 0


@pytest.mark.parametrize("mode", ["production", "true", "live,sandbox", "1", "$MODE"])
async def test_an_unknown_mode_stops_the_start(tmp_path: Path, mode: str) -> None:
    with pytest.raises(SettingsError, match="XPORTCN_MODE"):
        settings_for(tmp_path / "ledger.sqlite3", **account("https://example.invalid") | {"MODE": mode})


@pytest.mark.parametrize("mode", ["preview", "live"])
async def test_a_real_mode_without_an_account_stops_the_start(tmp_path: Path, mode: str) -> None:
    with pytest.raises(SettingsError) as stopped:
        settings_for(tmp_path / "ledger.sqlite3", MODE=mode)
    for name in ("ACCESS_KEY", "ACCESS_SECRET", "USER_ID"):
        assert f"XPORTCN_{name}" in str(stopped.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://www.xportcn.com/api",
        "http://10.0.0.1/api",
        "http://127.0.0.1.example.invalid/api",
        "http://localhost.example.invalid",
        "ftp://127.0.0.1",
        "https://user:secret@www.xportcn.com/api",
        "//www.xportcn.com",
    ],
)
async def test_the_account_never_goes_over_an_open_line(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="XPORTCN_BASE_URL") as stopped:
        settings_for(tmp_path / "ledger.sqlite3", **account(url) | {"MODE": "live"})
    assert "secret@" not in str(stopped.value)

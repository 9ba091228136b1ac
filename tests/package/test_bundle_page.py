"""A person with the bundle and a browser, and no terminal: from a link to orders that are placed, doubt included."""

# pyright: reportUnknownMemberType=false

import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp_types import CallToolResult
from playwright.async_api import expect

from harness.chromium import DESKTOP, chromium, needs_chromium, tab
from harness.house import ADDRESS, call, text_of
from harness.port_sandbox import running_sandbox
from harness.settings import SANDBOX_ACCOUNT
from package.test_bundle import SECONDS, bundle, host, installed

__all__ = ["bundle", "installed"]  # fixtures

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    needs_chromium,
    pytest.mark.skipif(sys.platform == "win32", reason="the browser is a shell script"),
]

LINK = "看看这个 https://detail.1688.com/offer/610947572360.html?spm=a26352"


async def test_with_the_bundle_alone_a_person_orders_and_ends_a_doubt_on_the_page(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note, browser_script = anyio.Path(tmp_path / "opened"), anyio.Path(tmp_path / "browser")
    await browser_script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >> {note}\n')
    await browser_script.chmod(0o700)
    monkeypatch.setenv("BROWSER", f"{browser_script} %s")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    ledger = anyio.Path(tmp_path / "ledger")
    await ledger.mkdir()
    with anyio.fail_after(SECONDS):
        async with running_sandbox() as (sandbox, url), chromium() as browser:
            # An upstream that can fail; what the form of the host does not ask stands in the ledger's folder.
            settings = {"BASE_URL": url, "APPROVAL": "require", "PICTURES": "off"}
            lines = [f"XPORTCN_{name}={value}\n" for name, value in settings.items()]
            await (ledger / ".env").write_text("".join(lines))
            account = {name.lower(): value for name, value in SANDBOX_ACCOUNT.items()}
            answers = {"mode": "live", "ledger_folder": str(ledger)} | account
            async with Client(host(installed, answers), read_timeout_seconds=90) as client:
                product = (await call(client, "get_product", {"offer": LINK}))["product"]
                first = await client.call_tool("preview_order", wish(product, 2))
                assert isinstance(first, CallToolResult)
                assert "A page has opened on this machine" in text_of(first)
                (address,) = (await note.read_text()).split()
                seen = await tab(await browser.new_context(viewport=DESKTOP), "http://127.0.0.1:")
                await seen.page.goto(address)

                placed = await yes_while_it_waits(client, seen.page, preview_in(first))
                assert placed["order"]["state"] == "placed"
                assert placed["order"]["approval"] == {"method": "page", "verified": True}
                assert [order.order_ids for order in sandbox.books.orders] == [
                    tuple(placed["order"]["order_ids"])
                ]

                sandbox.faults.add("reset-after-order", "create")
                second = await client.call_tool("preview_order", wish(product, 3))
                assert isinstance(second, CallToolResult)
                lost = await yes_while_it_waits(client, seen.page, preview_in(second))
                assert lost["problem"]["code"] == "outcome_unknown"

                await seen.page.reload()
                await expect(seen.page.get_by_text("Unknown: an order may exist")).to_be_visible()
                _, order = sandbox.books.orders
                await seen.page.get_by_label("Order ids").fill(" ".join(order.order_ids))
                await seen.page.get_by_role("button", name="It exists", exact=True).click()
                await expect(seen.page.get_by_text("Are you sure?")).to_be_visible()
                assert await state_of(client, lost) == ("unknown", []), "one answer records nothing"
                await seen.page.get_by_role("button", name="Yes, record it").click()
                await expect(seen.page.get_by_role("status")).to_contain_text("It is recorded.")
                assert await state_of(client, lost) == ("placed", list(order.order_ids))
                assert seen.troubles == []
    assert (await note.read_text()).split() == [address], "the browser opened once"
    assert sandbox.books.received["create"] == 2


def wish(product: dict[str, Any], quantity: int) -> dict[str, Any]:
    """What the assistant makes of the person's words."""
    item = {"offer_id": product["url"], "option": product["options"][0]["option"], "quantity": quantity}
    return {"items": [item], "address": ADDRESS, "flow": "general"}


def preview_in(result: CallToolResult) -> dict[str, Any]:
    assert result.structured_content is not None
    return result.structured_content["preview"]


async def yes_while_it_waits(client: Client, page: Any, preview: dict[str, Any]) -> dict[str, Any]:
    """What the create answers that the assistant has called before the person presses the button."""
    answers: list[dict[str, Any]] = []

    async def create() -> None:
        answers.append(await call(client, "create_order", preview["create_order_arguments"]))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(create)
        card = page.get_by_role("article").filter(has_text=preview["out_order_id"])
        await expect(card).to_be_visible()
        await call(client, "get_orders")  # it came after the create, and has been answered before it
        assert answers == []
        await card.get_by_role("button", name="Yes, place it").click()
        await expect(page.get_by_role("status")).to_contain_text("Your yes is recorded")
    (answer,) = answers
    return answer


async def state_of(client: Client, created: dict[str, Any]) -> tuple[str, list[str]]:
    reference = created["order"]["out_order_id"]
    (order,) = (await call(client, "get_orders", {"reference": reference}))["orders"]
    return order["state"], order["order_ids"]

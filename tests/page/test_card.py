"""The card of MCP Apps in a real browser: a client holds it in a sandboxed frame and speaks with it in messages."""

# pyright: reportUnknownMemberType=false

import json
import random
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from itertools import product
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from mcp import Client
from mcp.client.extension import advertise
from mcp_types import CallToolResult, TextContent
from playwright.async_api import Browser, Frame, FrameLocator, expect

from harness.chromium import (
    DESKTOP,
    PHONE,
    Watched,
    chromium,
    needs_axe,
    needs_chromium,
    serious,
    tab,
    wider_than_the_screen,
)
from harness.house import ERAS, MUG, Era, House, call, order_arguments, previewed
from harness.page_visit import OWNER
from harness.settings import live, settings_for
from xportcn_server.guide.order_card import URI, card_document
from xportcn_server.page.showing import card_of, rendered
from xportcn_server.parts import ledger_of
from xportcn_server.settings.settings import Settings
from xportcn_tools.clock import utc_now
from xportcn_tools.results import Environment, OrderState, RequestSent
from xportcn_tools.wording import reworded

pytestmark = pytest.mark.anyio

APPS = advertise("io.modelcontextprotocol/ui", {"mimeTypes": ["text/html;profile=mcp-app"]})
HOSTILE = "<img src=x onerror=alert(1)>'\"><script>alert(2)</script></script>{total}$&"
PICTURE = "https://cbu01.alicdn.com/img/ibank/1.png"

# What MCP Apps has a client allow where the server declares nothing
STRICTEST = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; media-src 'self' data:; connect-src 'none'"
)
CLIENT = """<!doctype html><html lang="en"><head><title>A client</title></head><body><main><h1>A client</h1></main>
<script>
const got = [];
let refusing = false;
const frame = document.createElement("iframe");
const tell = (message) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");
function begin(html, hostContext) {
  frame.title = "card";
  frame.sandbox = "allow-scripts";
  frame.style.cssText = "width: 100%; border: 0";
  frame.srcdoc = html;
  window.addEventListener("message", ({ source, data }) => {
    if (source !== frame.contentWindow) return;
    got.push(data);
    const { id, method, params } = data;
    if (method === "ui/initialize")
      tell({ id, result: { protocolVersion: params.protocolVersion, hostInfo: {}, hostCapabilities: {}, hostContext } });
    else if (method === "ui/message")
      tell(refusing ? { id, error: { code: -32000, message: "denied" } } : { id, result: {} });
    else if (method === "ui/notifications/size-changed")
      frame.style.height = `${params.height}px`;
  });
  document.querySelector("main").append(frame);
}
</script></body></html>"""

READ = """(root) => {
  const text = (node) => node.textContent.replace(/\\s+/g, "");
  const all = (selector) => [...root.querySelectorAll(selector)];
  return {
    head: text(root.querySelector("h1, h3")),
    warnings: all(".warnings li").map(text),
    heads: all("th").map(text),
    cells: all("td").map(text),
    facts: all("dl > div").map((row) => [...row.children].map(text)),
  };
}"""


@dataclass
class Held:
    """A client's tab, and the card in it."""

    seen: Watched
    card: FrameLocator

    async def show(
        self, envelope: dict[str, Any] | None, text: str = "", meta: dict[str, Any] | None = None
    ) -> None:
        """Hand a tool's result to the card."""
        result = {"content": [{"type": "text", "text": text}], "structuredContent": envelope, "_meta": meta}
        await self.tell("ui/notifications/tool-result", result)

    async def tell(self, method: str, params: dict[str, Any], **more: Any) -> None:
        await self.seen.page.evaluate("tell", {"method": method, "params": params} | more)

    async def got(self, *methods: str) -> list[dict[str, Any]]:
        """What the card has sent, of these methods or whatever it is."""
        sent = await self.seen.page.evaluate("got")
        return [each for each in sent if not methods or each.get("method") in methods]

    @property
    def frame(self) -> Frame:
        return self.seen.page.frames[1]

    async def read(self) -> dict[str, Any]:
        return await self.card.locator("article").last.evaluate(READ)


@asynccontextmanager
async def held(
    browser: Browser, settings: Settings, host_context: dict[str, Any] | None = None, **options: Any
) -> AsyncGenerator[Held]:
    """A client that holds the card, once it is ready. `host_context`: what the client says of itself."""
    new_context: Any = browser.new_context
    opened = await new_context(**{"viewport": DESKTOP} | options)
    seen = await tab(opened, "about:")
    await seen.page.set_content(CLIENT)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{STRICTEST}">'
    html = card_document(settings)
    if settings.mode == "sandbox":  # else the policy of its metadata: pictures
        html = html.replace("<head>", f"<head>{policy}")
    await seen.page.evaluate("([html, context]) => begin(html, context)", [html, host_context or {}])
    await seen.page.wait_for_function("got.some(({ method }) => method === 'ui/notifications/initialized')")
    yield Held(seen, seen.page.frame_locator("iframe"))
    assert seen.troubles == []
    await opened.close()


# What clients are offered


@pytest.mark.parametrize("era", ERAS)
async def test_three_tools_are_bound_to_one_document_under_40_kb(tmp_path: Path, era: Era) -> None:
    async with House(tmp_path).client(era) as client:
        tools = (await client.list_tools()).tools
        (document,) = (await client.read_resource(URI)).contents
    bound = {tool.name: tool.meta for tool in tools if tool.meta}
    assert bound == {
        name: {"ui": {"resourceUri": URI}} for name in ("get_product", "preview_order", "create_order")
    }
    assert document.mime_type == "text/html;profile=mcp-app"
    text = document.model_dump()["text"]
    assert len(text.encode()) < 40_000
    assert not re.search(r"(?:src|href)=|@import|url\(|fetch\(|innerHTML|eval\(", text)
    (own,) = re.findall(r'id="own">(.+?)</script>', text)
    of_results = (("mode_", Environment), ("sent_", RequestSent), ("", OrderState))
    assert {f"{start}{word}" for start, words in of_results for word in get_args(words)} < set(
        json.loads(own)["words"]
    )


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_chinese_of_warnings_goes_beside_the_result_and_what_a_model_reads_stays_english(
    tmp_path: Path, era: Era, language: str
) -> None:
    house = House(tmp_path, LANGUAGE=language, RECHECK_AFTER_SECONDS="0")
    async with house.client(era) as client:
        await call(client, "create_order", (await previewed(client))["create_order_arguments"])
        plain = await client.call_tool("preview_order", order_arguments())  # the same again: a warning
        assert isinstance(plain, CallToolResult)
        assert plain.structured_content
        house.sandbox.faults.add("price-drift", "preview")
        arguments = plain.structured_content["preview"]["create_order_arguments"]
        changed = await client.call_tool("create_order", arguments)
        assert isinstance(changed, CallToolResult)
        assert changed.structured_content
    previews = plain.structured_content["preview"], changed.structured_content["problem"]["preview"]
    for result, preview in zip((plain, changed), previews, strict=True):
        said = [warning["message"] for warning in preview["warnings"]]
        assert said
        beside = (result.meta or {}).get("xportcn/chinese", {})
        assert beside == ({each: reworded("zh", each) for each in said} if language == "zh" else {})
        for each in said:
            assert each in "\n".join(part.text for part in result.content if isinstance(part, TextContent))
            assert language == "en" or re.search("[\u4e00-\u9fff]", beside[each])


@pytest.mark.parametrize("era", ERAS)
async def test_only_clients_that_show_it_see_it_among_the_resources(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path)
    async with Client(house.server(), mode=era, extensions=[APPS]) as able:
        listed = {each.uri: each.mime_type for each in (await able.list_resources()).resources}
    async with house.client(era) as client:
        others = [each.uri for each in (await client.list_resources()).resources]
    assert set(listed) == {*others, URI}
    assert listed[URI] == "text/html;profile=mcp-app"


@pytest.mark.parametrize(
    ("mode", "pictures", "domains"),
    [("live", "on", ["https://*.alicdn.com"]), ("live", "off", []), ("sandbox", "on", [])],
)
async def test_pictures_are_declared_where_the_owner_shows_them_and_nothing_else_is(
    tmp_path: Path, mode: str, pictures: str, domains: list[str]
) -> None:
    changes = {"PICTURES": pictures} | (live() if mode == "live" else {})
    async with House(tmp_path, **changes).client() as client:
        (document,) = (await client.read_resource(URI)).contents
    assert document.meta == {
        "ui": {"csp": {"resourceDomains": domains, "connectDomains": []}, "prefersBorder": False}
    }
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', str(document))
    assert ("alicdn" in policy) is bool(domains)


# What it shows


@needs_chromium
async def test_a_preview_has_the_facts_of_the_pages_card_in_their_order(tmp_path: Path) -> None:
    house = House(tmp_path, LANGUAGE="zh")
    settings = settings_for(house.ledger, LANGUAGE="zh")
    ledger = ledger_of(settings)
    async with chromium() as browser, house.client() as client, held(browser, settings) as client_tab:
        await call(client, "create_order", (await previewed(client))["create_order_arguments"])
        result = await client.call_tool("preview_order", order_arguments(flow=None))  # with warnings
        assert isinstance(result, CallToolResult)
        envelope = result.structured_content
        assert envelope
        stored = await ledger.preview_by_code(envelope["preview"]["approval_code"])
        assert stored is not None
        page = await browser.new_page()
        for language in ("en", "zh"):
            card = card_of(stored, lambda *_: "token")
            text = rendered("card.html", language, utc_now(), UTC, card=card, visitor=OWNER, pictures=False)
            await page.set_content(text)
            expected = await page.locator("article").evaluate(READ)
            await client_tab.tell("ui/notifications/host-context-changed", {"locale": f"{language}-XX"})
            await client_tab.show(envelope, meta=result.meta)
            await expect(client_tab.card.locator("article")).to_be_visible()
            shown = await client_tab.read()
            assert shown == expected
            assert shown["warnings"]
        await page.close()
    await ledger.aclose()


@needs_chromium
async def test_figures_names_and_address_are_those_of_the_result_for_two_hundred_random_previews(
    tmp_path: Path,
) -> None:
    house, dice = House(tmp_path), random.Random(14)
    async with house.client() as client:
        envelope = await call(client, "preview_order", order_arguments())
    async with chromium() as browser, held(browser, settings_for(house.ledger)) as client_tab:
        for _ in range(200):
            drawn = envelope | {"preview": redrawn(envelope["preview"], dice)}
            await client_tab.show(drawn)
            read, preview = await client_tab.read(), drawn["preview"]
            total = f"{preview['payable']['amount']}CNY"
            assert read["head"] == total + squeezed(preview["out_order_id"])
            facts = dict(read["facts"])
            assert (facts["Topay"], facts["Shipto"]) == (total, squeezed(preview["ship_to"]))
            assert (facts["Goods"], facts["Freight"], facts["Fees"], facts["Discount"]) == (
                preview["goods_total"]["amount"],
                preview["freight"]["amount"],
                preview["fees"]["amount"],
                f"−{preview['discount']['amount']}",
            )
            lines = [line for group in preview["groups"] for line in group["lines"]]
            for line, at in zip(lines, range(0, len(read["cells"]), 4), strict=True):
                goods, quantity, unit_price, amount = read["cells"][at : at + 4]
                names = line["title_translated"] + line["title"] + line["option"]
                assert goods.startswith(squeezed(names))
                assert squeezed(line["offer_id"]) in goods
                assert quantity == squeezed(f"{line['quantity']}{line['unit']}")
                assert (unit_price, amount) == (line["unit_price"]["amount"], line["amount"]["amount"])


LETTERS = "abc 中文 <>&\"'{}%$&「」é😀\\"


def redrawn(part: Any, dice: random.Random) -> Any:
    """The same shape with other figures and texts, and one to four lines where it had one."""
    if isinstance(part, dict):
        if "currency" in part:
            return {"amount": f"{dice.randint(1, 9_999_999)}.{dice.randint(0, 99):02}", "currency": "CNY"}
        same = ("expires_at", "option_translated", "image", "message")
        fields = cast("dict[str, Any]", part)
        return {name: value if name in same else redrawn(value, dice) for name, value in fields.items()}
    if isinstance(part, list):
        return [redrawn(each, dice) for each in cast("list[Any]", part)[:1] * dice.randint(1, 4)]
    if isinstance(part, str):
        return "x" + "".join(dice.choices(LETTERS, k=dice.randint(0, 60)))
    return dice.randint(1, 10**6) if isinstance(part, int) and not isinstance(part, bool) else part


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@needs_chromium
async def test_a_placed_order_says_that_it_is_not_paid_and_has_its_ids(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with chromium() as browser, house.client() as client:
        preview = await previewed(client)
        placed = await call(client, "create_order", preview["create_order_arguments"])
        async with held(browser, settings_for(house.ledger)) as client_tab:
            await client_tab.show(placed)
            card, order = client_tab.card.get_by_role("article"), placed["order"]
            for text in ("Placed, not paid yet", order["order_ids"][0], order["ship_to"], "64.00 CNY"):
                await expect(card).to_contain_text(text)
            await expect(card.locator("li")).to_have_text(
                f"2 × {order['lines'][0]['title']} ({order['lines'][0]['option']}): 58.00"
            )
            await expect(client_tab.card.get_by_role("button")).to_have_count(0)


@needs_chromium
async def test_a_problem_says_what_was_sent_and_what_next_and_shows_a_fresh_preview(tmp_path: Path) -> None:
    house = House(tmp_path, RECHECK_AFTER_SECONDS="0")
    async with chromium() as browser, house.client() as client:
        preview = await previewed(client)
        house.sandbox.faults.add("price-drift", "preview")
        changed = await call(client, "create_order", preview["create_order_arguments"])
        house.sandbox.faults.clear()
        refused = await call(client, "preview_order", order_arguments(items=[]))
        open_option = await call(
            client, "preview_order", order_arguments(items=[{"offer_id": MUG, "quantity": 2}])
        )
        async with held(browser, settings_for(house.ledger)) as client_tab:
            articles = client_tab.card.get_by_role("article")
            await client_tab.show(changed)
            problem = changed["problem"]
            assert problem["code"] == "terms_changed"
            for text in ("No order was sent", problem["message"], problem["next_step"]):
                await expect(articles.first).to_contain_text(text)
            (change, *_) = problem["details"]["changes"]
            row = client_tab.card.locator("tbody tr").first
            await expect(row).to_have_text("".join(change[name] for name in ("what", "was", "now")))
            await expect(articles.last).to_contain_text(problem["preview"]["out_order_id"])
            await client_tab.card.get_by_role("button").click()
            (message,) = await client_tab.got("ui/message")
            assert problem["preview"]["payable"]["amount"] in message["params"]["content"][0]["text"]

            await client_tab.show(refused)
            await expect(articles).to_contain_text(refused["problem"]["message"])
            await client_tab.show(open_option)
            await expect(articles).to_contain_text("choose_option")
            options = open_option["problem"]["details"]["lines"][0]["options"]
            await expect(client_tab.card.locator("tbody tr")).to_have_count(len(options))


@needs_chromium
async def test_a_product_has_its_options_with_price_and_stock_and_no_button(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with chromium() as browser, house.client() as client:
        found = await call(client, "get_product", {"offer": MUG, "quantity": 1})
        async with held(browser, settings_for(house.ledger)) as client_tab:
            await client_tab.show(found)
            product_found = found["product"]
            card = client_tab.card.get_by_role("article")
            for text in (
                product_found["title"],
                product_found["title_translated"],
                MUG,
                "only a preview says",
            ):
                await expect(card).to_contain_text(text)
            rows = client_tab.card.locator("tbody tr")
            await expect(rows).to_have_count(len(product_found["options"]))
            for at, option in enumerate(product_found["options"]):
                cells = rows.nth(at).locator("td")
                await expect(cells.nth(0)).to_contain_text(option["option"])
                await expect(cells.nth(1)).to_have_text(option["price"]["amount"])
                await expect(cells.nth(2)).to_have_text(str(option["stock"]))
            await expect(client_tab.card.get_by_role("button")).to_have_count(0)


# What it does, and what it never does


@needs_chromium
async def test_its_button_sends_a_message_to_the_conversation_and_nothing_else(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with (
        chromium() as browser,
        house.client() as client,
        held(browser, settings_for(house.ledger)) as tab_,
    ):
        envelope = await call(client, "preview_order", order_arguments())
        preview = envelope["preview"]
        await tab_.show(envelope)
        await tab_.seen.page.evaluate("refusing = true")
        await tab_.card.get_by_role("button", name="Ask the assistant to place it: 64.00 CNY").click()
        await expect(tab_.card.get_by_role("status")).to_have_text(re.compile("Tell the assistant yourself"))
        await tab_.seen.page.evaluate("refusing = false")
        await tab_.card.get_by_role("button").dblclick()
        await expect(tab_.card.get_by_role("status")).to_have_text(re.compile("The assistant was asked"))
        await expect(tab_.card.get_by_role("button")).to_be_disabled()
        sent = await tab_.got()
        assert {each["method"] for each in sent} == {
            "ui/initialize",
            "ui/notifications/initialized",
            "ui/notifications/size-changed",
            "ui/message",
        }
        words = (
            f"I agree to order {preview['out_order_id']}, 64.00 CNY. "
            "Go on: call create_order with its create_order_arguments."
        )
        said = {"role": "user", "content": [{"type": "text", "text": words}]}
        assert [each["params"] for each in await tab_.got("ui/message")] == [said, said]
    assert house.creates == 0


@needs_chromium
async def test_the_text_of_others_is_text(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with (
        chromium() as browser,
        house.client() as client,
        held(browser, settings_for(house.ledger)) as tab_,
    ):
        preview = await call(client, "preview_order", order_arguments())
        product_found = await call(client, "get_product", {"offer": MUG})
        placed = await call(client, "create_order", preview["preview"]["create_order_arguments"])
        problem = await call(client, "preview_order", order_arguments(items=[]))
        for envelope in (preview, product_found, placed, problem):
            hostile = all_texts_as(HOSTILE, envelope)
            await tab_.show(hostile)
            await expect(tab_.card.get_by_role("article")).to_contain_text(HOSTILE)
            assert await tab_.card.locator("main script, main img, main iframe, main a").count() == 0
        await tab_.show(None, HOSTILE)
        await expect(tab_.card.locator("pre")).to_have_text(HOSTILE)


def all_texts_as(text: str, part: Any) -> Any:
    """The same shape, in which every text that is not one of our own words is this one."""
    if isinstance(part, dict):
        ours = ("environment", "state", "request_sent", "amount", "currency", "expires_at", "created_at")
        fields = cast("dict[str, Any]", part)
        return {name: value if name in ours else all_texts_as(text, value) for name, value in fields.items()}
    if isinstance(part, list):
        return [all_texts_as(text, each) for each in cast("list[Any]", part)]
    return text if isinstance(part, str) else part


@needs_chromium
async def test_an_expired_preview_and_one_that_cannot_be_ordered_have_no_button(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with (
        chromium() as browser,
        house.client() as client,
        held(browser, settings_for(house.ledger)) as tab_,
    ):
        envelope = await call(client, "preview_order", order_arguments())
        await tab_.show(envelope)
        await expect(tab_.card.locator(".clock")).to_have_text(re.compile(r"Good for 9:\d\d"))
        await expect(tab_.card.get_by_role("button")).to_be_visible()
        await tab_.show(envelope | {"preview": envelope["preview"] | {"expires_at": "2026-01-01T00:00:00Z"}})
        await expect(tab_.card.get_by_text("Expired")).to_be_visible()
        await expect(tab_.card.get_by_role("button")).to_have_count(0)
        await tab_.show(envelope | {"environment": "preview"})
        await expect(tab_.card.get_by_text("nothing can be ordered")).to_be_visible()
        await expect(tab_.card.locator("button")).to_have_count(0)


@needs_chromium
async def test_a_client_that_hands_over_the_text_alone_or_cuts_the_call_short_gets_a_card_too(
    tmp_path: Path,
) -> None:
    settings = settings_for(tmp_path / "ledger.sqlite3")
    async with chromium() as browser, held(browser, settings) as client_tab:
        await client_tab.show(None, "Total 64.00 CNY")
        await expect(client_tab.card.get_by_role("main")).to_have_text("Total 64.00 CNY")
        await client_tab.show({"preview": {}}, "of a later version")  # a shape that it does not know
        await expect(client_tab.card.get_by_role("main")).to_have_text("of a later version")
        await client_tab.tell("ui/notifications/tool-cancelled", {"reason": "the person stopped it"})
        await expect(client_tab.card.get_by_role("main")).to_contain_text("The call was cut short")


@needs_chromium
async def test_it_answers_what_a_client_may_ask_and_listens_to_the_client_alone(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "ledger.sqlite3")
    async with chromium() as browser, held(browser, settings) as client_tab:
        for number, method in enumerate(("ping", "ui/resource-teardown", "tools/call"), 900):
            await client_tab.tell(method, {}, id=number)
        await client_tab.seen.page.wait_for_function("got.some(({ id }) => id === 902)")
        answers = {each["id"]: each for each in await client_tab.got() if each.get("id", 0) >= 900}
        assert [answers[900]["result"], answers[901]["result"], answers[902]["error"]["code"]] == [
            {},
            {},
            -32601,
        ]
        await client_tab.frame.evaluate(
            """() => window.postMessage({ jsonrpc: "2.0", method: "ui/notifications/tool-result",
                params: { content: [{ type: "text", text: "forged" }] } }, "*")"""
        )
        await client_tab.show(None, "true")
        await expect(client_tab.card.get_by_role("main")).to_have_text("true")


# How it looks


async def states_of(client: Client) -> list[dict[str, Any]]:
    """A result for each thing that the card shows."""
    preview = await call(client, "preview_order", order_arguments())
    return [
        preview,
        await call(client, "create_order", preview["preview"]["create_order_arguments"]),
        await call(client, "preview_order", order_arguments()),  # with a warning
        await call(client, "preview_order", order_arguments(items=[{"offer_id": MUG, "quantity": 2}])),
        await call(client, "get_product", {"offer": MUG, "quantity": 1}),
    ]


@needs_chromium
async def test_it_fits_every_screen_in_both_languages_and_themes(tmp_path: Path) -> None:
    house = House(tmp_path)
    settings = settings_for(house.ledger)
    async with chromium() as browser, house.client() as client:
        states = await states_of(client)
        for locale, theme, screen in product(("en-GB", "zh-CN"), ("light", "dark"), (PHONE, DESKTOP)):
            other = "light" if theme == "dark" else "dark"
            told = {"locale": locale, "theme": theme}
            async with held(browser, settings, told, viewport=screen, color_scheme=other) as client_tab:
                for each in states:
                    await client_tab.show(each)
                    ground = "rgb(29, 32, 38)" if theme == "dark" else "rgb(255, 255, 255)"
                    await expect(client_tab.card.locator("body")).to_have_css("background-color", ground)
                    words = "沙盒" if locale == "zh-CN" else "Sandbox"
                    await expect(client_tab.card.locator(".mode")).to_contain_text(words)
                    lang = "zh-CN" if locale == "zh-CN" else "en"
                    await expect(client_tab.card.locator("html")).to_have_attribute("lang", lang)
                    assert await wider_than_the_screen(client_tab.frame) == 0, (locale, theme, screen)
                await (
                    client_tab.seen.page.wait_for_function(  # the client gives it the height that it asks for
                        "frame.clientHeight > 300 && frame.clientHeight === got.at(-1).params.height"
                    )
                )


@needs_chromium
async def test_without_a_word_from_the_client_it_follows_the_owner_and_the_system(tmp_path: Path) -> None:
    house = House(tmp_path)
    settings = settings_for(house.ledger, LANGUAGE="zh")
    async with chromium() as browser, house.client() as client:
        envelope = await call(client, "preview_order", order_arguments())
        async with held(browser, settings, color_scheme="dark") as client_tab:
            await client_tab.show(envelope)
            await expect(client_tab.card.get_by_role("button")).to_have_text("请助手下单：64.00 CNY")
            await expect(client_tab.card.locator("body")).to_have_css("background-color", "rgb(29, 32, 38)")
            await client_tab.tell("ui/notifications/host-context-changed", {"theme": "light", "locale": "en"})
            await expect(client_tab.card.locator("body")).to_have_css(
                "background-color", "rgb(255, 255, 255)"
            )
            await expect(client_tab.card.get_by_role("button")).to_have_text(re.compile("Ask the assistant"))


@needs_chromium
@needs_axe
async def test_axe_finds_nothing_serious_in_any_state_language_or_theme(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with chromium() as browser, house.client() as client:
        states = await states_of(client)
        for locale, theme in product(("en", "zh"), ("light", "dark")):
            told = {"locale": locale, "theme": theme}
            async with held(browser, settings_for(house.ledger), told) as client_tab:
                for each in states:
                    await client_tab.show(each)
                    await expect(client_tab.card.get_by_role("article").first).to_be_visible()
                    assert await serious(client_tab.frame) == []


@needs_chromium
async def test_pictures_come_from_the_declared_host_alone_and_only_where_the_owner_shows_them(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    async with house.client() as client:
        envelope = await call(client, "preview_order", order_arguments())
    (line,) = envelope["preview"]["groups"][0]["lines"]

    async def drawn(route: Any) -> None:
        await route.fulfill(content_type="image/svg+xml", body="<svg xmlns='http://www.w3.org/2000/svg'/>")

    async with chromium() as browser:
        for shown, expected in (("on", [f"left for {PICTURE}"]), ("off", [])):
            settings = settings_for(tmp_path / "live.sqlite3", **live(), PICTURES=shown)
            async with held(browser, settings) as client_tab:
                await client_tab.seen.page.route(re.compile("^https:"), drawn)
                for address in ("https://evil.example/1.png", f"https://evil.example/{PICTURE}", PICTURE):
                    line["image"] = address
                    await client_tab.show(envelope)
                    await expect(client_tab.card.get_by_role("article")).to_be_visible()
                pictures = client_tab.card.locator("img")
                await expect(pictures).to_have_count(len(expected))
                if expected:
                    await expect(pictures).to_have_js_property("complete", value=True)
                assert client_tab.seen.troubles == expected
                client_tab.seen.troubles.clear()

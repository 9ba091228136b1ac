"""The page in a real browser: it opens from its file, shows, answers, stays fresh, and works without script."""

# pyright: reportUnknownMemberType=false

import html
import re
from itertools import product
from pathlib import Path
from typing import Any

import anyio
import pytest
from playwright.async_api import Route, expect

from harness.chromium import (
    DESKTOP,
    PHONE,
    chromium,
    needs_axe,
    needs_chromium,
    serious,
    tab,
    wider_than_the_screen,
)
from harness.house import House, address_of, call, order_arguments, previewed, text_of
from harness.page_visit import OWNER, visited
from xportcn_server.page.opening import Doorway

pytestmark = [pytest.mark.anyio, needs_chromium]

REQUIRE = {"APPROVAL": "require"}


async def opened(house: House, addresses: list[str]) -> Any:
    """`browse` of a server under test: notes the address."""

    def browse(address: str) -> bool:
        addresses.append(address)
        return True

    return browse


async def test_a_person_without_a_terminal_says_yes_in_the_browser_that_opens(tmp_path: Path) -> None:
    house = House(tmp_path, **REQUIRE, PAGE="auto")
    addresses: list[str] = []
    answers: list[dict[str, Any]] = []
    async with chromium() as browser, house.client(browse=await opened(house, addresses)) as client:
        result = await client.call_tool("preview_order", order_arguments())
        assert "A page has opened on this machine" in text_of(result)
        preview = result.structured_content["preview"]
        (address,) = addresses
        assert "/enter/" not in str(result), "the secret is in no result"
        await client.call_tool("preview_order", order_arguments(quantity=3))
        assert addresses == [address], "it opens once"

        context = await browser.new_context(viewport=DESKTOP)
        seen = await tab(context, "http://127.0.0.1:")
        await seen.page.goto(address)
        card = seen.page.get_by_role("article").filter(has_text=preview["out_order_id"])
        await expect(card).to_be_visible()

        async def create() -> None:
            answers.append(await call(client, "create_order", preview["create_order_arguments"]))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(create)
            await card.get_by_role("button", name="Yes, place it").dblclick()
            await expect(seen.page.get_by_role("status")).to_contain_text("Your yes is recorded")
        await expect(seen.page).to_have_url(re.compile(r"/$"))
        assert seen.troubles == []
    assert answers[0]["order"]["state"] == "placed"
    assert answers[0]["order"]["approval"] == {"method": "page", "verified": True}


async def test_the_page_shows_what_comes_and_takes_away_what_has_gone_by_itself(tmp_path: Path) -> None:
    house = House(tmp_path, **REQUIRE)
    async with chromium() as browser, house.client() as client, visited(house) as visit:
        one, other = await signed_in(browser, visit), await signed_in(browser, visit)
        await expect(one.page.get_by_text("Nothing waits for an answer.")).to_be_visible()
        preview = await previewed(client)
        for seen in (one, other):
            await expect(seen.page.get_by_role("article")).to_contain_text(preview["out_order_id"])
            await expect(seen.page.locator(".clock")).to_have_text(re.compile(r"Good for 9:\d\d"))
        await one.page.get_by_role("button", name="Yes, place it").click()
        await expect(other.page.get_by_role("article")).to_have_count(0)
        assert one.troubles + other.troubles == []


async def test_it_works_without_script(tmp_path: Path) -> None:
    house = House(tmp_path, **REQUIRE)
    async with chromium() as browser, house.client() as client, visited(house) as visit:
        preview = await previewed(client)
        seen = await signed_in(browser, visit, java_script_enabled=False)
        await seen.page.get_by_role("button", name="No", exact=True).click()
        await expect(seen.page.get_by_role("status")).to_contain_text("nothing is ordered")
        await seen.page.get_by_role("button", name="Yes, place it").click()
        await expect(seen.page.get_by_role("status")).to_contain_text("Your yes is recorded")
        created = await call(client, "create_order", preview["create_order_arguments"])
    assert created["order"]["approval"]["method"] == "page"


async def test_a_stale_card_says_that_nothing_was_changed_and_shows_what_holds(tmp_path: Path) -> None:
    house = House(tmp_path, **REQUIRE)
    async with chromium() as browser, house.client() as client, visited(house) as visit:
        await previewed(client)
        seen = await signed_in(browser, visit, java_script_enabled=False)
        await visit.answer("/yes")
        await seen.page.get_by_role("button", name="Yes, place it").click()
        await expect(seen.page.get_by_role("status")).to_contain_text("approved already")
        await expect(seen.page.get_by_role("article")).to_have_count(0)


async def test_the_text_of_others_is_text(tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)>'\"><script>alert(2)</script>{{7*7}}"
    house = House(tmp_path, **REQUIRE)
    async with chromium() as browser, house.client() as client, visited(house) as visit:
        await previewed(client, message=hostile)
        seen = await signed_in(browser, visit)
        await expect(seen.page.get_by_role("article")).to_contain_text(hostile)
        assert await seen.page.locator("main img[src=x]").count() == 0
        assert seen.troubles == []


async def test_it_fits_every_screen_in_both_languages_and_themes(tmp_path: Path) -> None:
    house = House(tmp_path, **REQUIRE)
    async with chromium() as browser, house.client() as client, visited(house) as visit:
        await previewed(client, message="a word of " + "w" * 60)
        for language, scheme, screen in product(("en", "zh"), ("light", "dark"), (PHONE, DESKTOP)):
            seen = await signed_in(browser, visit, color_scheme=scheme, viewport=screen)
            if language == "zh":
                await seen.page.get_by_role("link", name="中文").click()
                await expect(seen.page.get_by_role("button", name="是，下单")).to_be_visible()
            ground = "rgb(18, 20, 24)" if scheme == "dark" else "rgb(244, 245, 247)"
            await expect(seen.page.locator("body")).to_have_css("background-color", ground)
            assert await wider_than_the_screen(seen.page) == 0, (language, scheme, screen)
            assert seen.troubles == []
            await seen.page.context.close()


async def test_a_keyboard_is_enough(tmp_path: Path) -> None:
    house = House(tmp_path, **REQUIRE)
    async with chromium() as browser, house.client() as client, visited(house) as visit:
        await previewed(client)
        seen = await signed_in(browser, visit)
        for _ in range(10):
            await seen.page.keyboard.press("Tab")
            if await seen.page.evaluate("document.activeElement.className") == "yes":
                break
        await seen.page.keyboard.press("Enter")
        await expect(seen.page.get_by_role("status")).to_contain_text("Your yes is recorded")


async def test_what_is_held_by_the_keyboard_stays_held_when_another_card_comes(tmp_path: Path) -> None:
    house = House(tmp_path, **REQUIRE)
    async with chromium() as browser, house.client() as client, visited(house) as visit:
        first = await previewed(client)
        seen = await signed_in(browser, visit)
        cards = seen.page.get_by_role("article")
        yes = cards.filter(has_text=first["out_order_id"]).get_by_role("button", name="Yes, place it")
        await yes.focus()
        await previewed(client, quantity=3)
        await expect(cards).to_have_count(2)
        await expect(yes).to_be_focused()
        await seen.page.keyboard.press("Enter")
        await expect(seen.page.get_by_role("status")).to_contain_text("Your yes is recorded")
        created = await call(client, "create_order", first["create_order_arguments"])
    assert created["order"]["approval"]["method"] == "page"


async def test_no_button_moves_from_under_the_pointer(tmp_path: Path) -> None:
    house = House(tmp_path, **REQUIRE)
    async with chromium() as browser, house.client() as client, visited(house) as visit:
        await previewed(client)
        last = await previewed(client, quantity=3)
        seen = await signed_in(browser, visit, viewport={"width": 1280, "height": 2400})
        cards = seen.page.get_by_role("article")
        no = cards.filter(has_text=last["out_order_id"]).get_by_role("button", name="No", exact=True)
        await no.hover()
        place = await no.bounding_box()
        await visit.answer("/yes")  # the first card goes
        for _ in range(2):  # the second question comes after the first answer has been dealt with
            async with seen.page.expect_response("**/fresh"):
                pass
        assert await no.bounding_box() == place
        await seen.page.mouse.move(1, 1)
        await expect(cards).to_have_count(1)
        assert await no.bounding_box() != place


async def slowly_settled(route: Route) -> None:
    """The page's style, by which a new button takes no click for a minute instead of less than a second."""
    css = await (await route.fetch()).text()
    assert css.count("settle .7s") == 1
    await route.fulfill(body=css.replace("settle .7s", "settle 60s"), content_type="text/css")


@pytest.mark.parametrize("script", [True, False])
async def test_the_second_click_of_a_double_one_does_not_answer_the_card_that_comes_under_the_pointer(
    tmp_path: Path, *, script: bool
) -> None:
    house = House(tmp_path, **REQUIRE)
    async with chromium() as browser, house.client() as client, visited(house) as visit:
        for number in range(3):
            await previewed(client, address=address_of(number))
        seen = await signed_in(
            browser, visit, viewport={"width": 1280, "height": 4000}, java_script_enabled=script
        )
        await seen.page.route("**/static/page.css", slowly_settled)
        await seen.page.reload()
        cards = seen.page.get_by_role("article")
        for left in (2, 1):
            yes = cards.first.get_by_role("button", name="Yes, place it")
            place = await yes.bounding_box()
            assert place
            async with seen.page.expect_navigation(url=re.compile("done=")):
                await yes.press("Enter")  # as the first click, which leads to the page without this card
            await expect(cards).to_have_count(left)
            await seen.page.mouse.click(place["x"] + 20, place["y"] + 10)
        await seen.page.unroute("**/static/page.css")
        await seen.page.reload()
        await expect(cards).to_have_count(1)
        await cards.first.get_by_role("button", name="Yes, place it").click()
        await expect(seen.page.get_by_role("status")).to_contain_text("Your yes is recorded")
        await expect(cards).to_have_count(0)


async def test_an_expired_card_can_no_longer_be_answered_and_keeps_its_place(tmp_path: Path) -> None:
    house = House(tmp_path, **REQUIRE)
    async with chromium() as browser, house.client() as client, visited(house) as visit:
        await previewed(client)
        seen = await signed_in(browser, visit)
        await seen.page.clock.install()
        await seen.page.reload()
        card = seen.page.get_by_role("article")
        await expect(card.get_by_role("button")).to_have_count(2)
        before = await card.bounding_box()
        await seen.page.clock.fast_forward("11:00")
        await expect(seen.page.locator(".clock")).to_have_text("Expired")
        for button in await card.get_by_role("button").all():
            await expect(button).to_be_disabled()
        assert await card.bounding_box() == before


async def test_a_page_of_another_origin_that_sends_the_form_does_nothing(tmp_path: Path) -> None:
    house = House(tmp_path, **REQUIRE)
    async with chromium() as browser, house.client() as client, visited(house) as visit:
        await previewed(client)
        context = await browser.new_context()
        seen = await tab(context, "")
        await seen.page.goto(await file_of(visit, tmp_path))
        await expect(seen.page.get_by_role("article")).to_be_visible()
        (yes,) = await visit.forms("/yes")
        fields = "".join(f'<input name="{name}" value="{html.escape(value)}">' for name, value in yes.items())
        evil = tmp_path / "evil.html"
        evil.write_text(f'<form method="post" action="{visit.url}/yes">{fields}<button>go</button></form>')
        await seen.page.goto(evil.as_uri())
        async with seen.page.expect_navigation():
            await seen.page.get_by_role("button").click()
        await expect(seen.page.get_by_text("Refused")).to_be_visible()
        assert len(await visit.forms("/yes")) == 1


@needs_axe
async def test_axe_finds_nothing_serious_in_any_state_language_or_theme(tmp_path: Path) -> None:
    house = House(tmp_path, APPROVAL="ask")
    async with chromium() as browser, house.client() as client, visited(house) as visit:
        placed = await previewed(client, address=address_of(1))
        await call(client, "create_order", placed["create_order_arguments"])
        house.sandbox.faults.add("reset-after-order", "create")
        lost = await previewed(client, address=address_of(2))
        await call(client, "create_order", lost["create_order_arguments"])
        house.sandbox.faults.clear()
        await previewed(client, address=address_of(2))  # with a warning
        await previewed(client)
        await visit.answer("/no")
        for scheme, language in product(("light", "dark"), ("en", "zh")):
            seen = await signed_in(browser, visit, color_scheme=scheme)
            await seen.page.goto(f"{visit.url}/language/{language}")
            await expect(seen.page.get_by_role("article")).to_have_count(3)
            assert await serious(seen.page) == []
            await seen.page.locator('form[action="/look"]').last.get_by_role("button").click()
            await expect(seen.page.locator("#sure")).to_be_visible()
            assert await serious(seen.page) == []
            await seen.page.context.clear_cookies()
            await seen.page.goto(visit.url)
            await expect(seen.page.locator("#sign-in")).to_be_visible()
            assert await serious(seen.page) == []
            await seen.page.context.close()


async def file_of(visit: Any, folder: Path) -> str:
    return (await Doorway(visit.site, folder, visit.url).file()).as_uri()


async def signed_in(browser: Any, visit: Any, **options: Any) -> Any:
    """A tab of a browser of its own, on the page."""
    context = await browser.new_context(**{"viewport": DESKTOP} | options)
    seen = await tab(context, visit.url)
    await seen.page.goto(f"{visit.url}/enter/{await visit.site.sessions.new_code(OWNER)}")
    await expect(seen.page).to_have_url(f"{visit.url}/")
    return seen

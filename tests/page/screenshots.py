"""`make screenshots`: pictures of the page for people, from the sandbox, into `docs/pictures/`."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from harness.chromium import DESKTOP, PHONE, chromium, tab
from harness.house import House, address_of, call, previewed
from harness.page_visit import OWNER, visited

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"


async def take(folder: Path) -> None:
    """A card that waits, an unknown order, a placed one; in both languages, themes and sizes."""
    with TemporaryDirectory() as ledger:
        house = House(Path(ledger), APPROVAL="ask")
        async with chromium() as browser, house.client() as client, visited(house) as visit:
            placed = await previewed(client, address=address_of(1))
            await call(client, "create_order", placed["create_order_arguments"])
            house.sandbox.faults.add("reset-after-order", "create")
            lost = await previewed(client, address=address_of(2))
            await call(client, "create_order", lost["create_order_arguments"])
            house.sandbox.faults.clear()
            await previewed(client, quantity=20, message="Please pack well")
            for name, screen, scheme, language in (
                ("page-en-light", DESKTOP, "light", "en"),
                ("page-zh-dark", DESKTOP, "dark", "zh"),
                ("page-phone", PHONE, "light", "en"),
            ):
                context = await browser.new_context(viewport=screen, color_scheme=scheme)  # type: ignore[arg-type]
                seen = await tab(context, visit.url)
                await seen.page.goto(f"{visit.url}/enter/{await visit.site.sessions.new_code(OWNER)}")
                await seen.page.wait_for_url(f"{visit.url}/")
                if language == "zh":
                    await seen.page.get_by_role("link", name="中文").click()
                await seen.page.screenshot(path=folder / f"{name}.png", full_page=True)


if __name__ == "__main__":
    to = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES
    to.mkdir(parents=True, exist_ok=True)
    anyio.run(take, to)

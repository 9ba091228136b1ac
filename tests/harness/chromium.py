"""Debian's chromium, driven by playwright: pages as a person sees them."""

import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Frame, Page, ViewportSize, async_playwright

CHROMIUM = os.environ.get("XPORTCN_TEST_CHROMIUM") or shutil.which("chromium")

AXE = Path(__file__).parents[2] / "build/checkers/node/node_modules/axe-core/axe.min.js"

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
needs_axe = pytest.mark.skipif(not AXE.exists(), reason="needs axe-core: make checkers")

PHONE, DESKTOP = ViewportSize(width=360, height=740), ViewportSize(width=1280, height=900)


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        await browser.close()


class Watched:
    """A tab, and what went wrong in it or left for elsewhere."""

    def __init__(self, page: Page, home: str) -> None:
        self.page = page
        self.troubles: list[str] = []
        page.on("console", lambda said: self._console(said.type, said.text))
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("request", lambda request: self._request(request.url, home))

    def _console(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.troubles.append(f"{kind}: {text}")

    def _request(self, url: str, home: str) -> None:
        if not url.startswith((home, "file://")):
            self.troubles.append(f"left for {url}")


async def tab(context: BrowserContext, home: str) -> Watched:
    return Watched(await context.new_page(), home)


async def serious(page: Page | Frame) -> list[str]:
    """What axe-core calls serious or critical, with the element."""
    await page.evaluate(AXE.read_text("utf-8"))
    found = await page.evaluate("axe.run()")
    assert found["passes"], "it has looked at something"
    return [
        f"{broken['id']}: {node['html']}"
        for broken in found["violations"]
        if broken["impact"] in ("serious", "critical")
        for node in broken["nodes"]
    ]


async def wider_than_the_screen(page: Page | Frame) -> Any:
    """How many pixels have to be scrolled sideways to."""
    return await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

"""The page of a house, served on a loopback port, and a person's browser without a window."""

import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import anyio
import httpx

from harness.house import House
from harness.settings import settings_for
from xportcn_server.page.opening import loopback_server
from xportcn_server.page.site import Site
from xportcn_server.parts import ledger_of, policy_of
from xportcn_tools.clock import utc_now
from xportcn_tools.ledger.approvals import Visitor

OWNER = Visitor(None)
_HIDDEN = re.compile(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)">')


@dataclass
class Visit:
    """Somebody at the page. `site` is the page itself, for codes."""

    site: Site
    url: str
    http: httpx.AsyncClient

    async def sign_in(self, visitor: Visitor = OWNER) -> httpx.Response:
        code = await self.site.sessions.new_code(visitor)
        if visitor.caller is None:
            return await self.http.get(f"/enter/{code}")
        return await self.send("/enter", {"code": code})

    async def text(self) -> str:
        """The page, as it is now."""
        answer = await self.http.get("/")
        assert answer.status_code == 200, answer.text
        return answer.text

    async def forms(self, action: str) -> list[dict[str, str]]:
        """What each form with this action would send, in the order of the page."""
        return forms_in(await self.text(), action)

    async def send(self, action: str, form: dict[str, Any], **headers: str) -> httpx.Response:
        """A form, as a browser sends it from this very page."""
        return await self.http.post(action, data=form, headers={"origin": self.url} | headers)

    async def answer(self, action: str) -> httpx.Response:
        """Press the first button with this action, and follow to the page it leads to."""
        (form, *_) = await self.forms(action)
        answer = await self.send(action, form)
        assert answer.status_code == 303, answer.text
        return await self.http.get(answer.headers["location"])


def forms_in(text: str, action: str) -> list[dict[str, str]]:
    return [
        dict(_HIDDEN.findall(part.partition("</form>")[0]))
        for part in text.split(f'<form method="post" action="{action}">')[1:]
    ]


@asynccontextmanager
async def visited(
    house: House,
    clock: Callable[[], datetime] = utc_now,
    *,
    signed_in: bool = True,
    changes: Mapping[str, str] | None = None,
) -> AsyncGenerator[Visit]:
    """The page of this house as a process of its own would serve it, over a ledger of its own."""
    settings = settings_for(house.ledger, **house.changes | dict(changes or {}))
    ledger = ledger_of(settings, clock)
    site = Site(ledger, policy_of(settings), settings, clock)
    server, listener, url = loopback_server(site)
    try:
        await ledger.open()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
                visit = Visit(site, url, http)
                if signed_in:
                    assert (await visit.sign_in()).status_code == 200
                yield visit
            server.should_exit = True
    finally:
        listener.close()
        await ledger.aclose()

"""The page at `/` of `serve --http`: behind one-time codes where there are callers, each seeing its own."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
import pytest
from click.testing import CliRunner, Result

from harness.house import address_of, call, previewed
from harness.over_http import client_of, http_client, made_callers, serving
from harness.page_visit import forms_in
from harness.processes import processes
from harness.settings import environ_of, settings_for
from xportcn_server.commands.cli import main
from xportcn_server.http.callers import new_caller, remove_caller
from xportcn_server.parts import Seams, ledger_of
from xportcn_server.sandbox.service import build_sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("elsewhere")]


@dataclass
class Served:
    """A server with two callers, and what the owner's commands need."""

    url: str
    tokens: dict[str, str]
    folder: Path

    async def command(self, *words: str) -> Result:
        environ = environ_of(
            LEDGER=str(self.folder / "ledger.sqlite3"), CALLERS=str(self.folder / "callers.toml")
        )
        return await anyio.to_thread.run_sync(lambda: CliRunner().invoke(main, list(words), env=environ))

    async def sign_in(self, http: httpx.AsyncClient, *words: str) -> httpx.Response:
        """With a code that the owner's command prints for this caller."""
        code = (await self.command("caller", "page", *words)).stdout.strip()
        return await http.post("/enter", data={"code": code}, headers={"origin": self.url})


@asynccontextmanager
async def served(folder: Path, **changes: str) -> AsyncGenerator[Served]:
    tokens = made_callers(folder / "callers.toml", "alice", "bob")
    changes = {"CALLERS": str(folder / "callers.toml"), "APPROVAL": "require"} | changes
    settings = settings_for(folder / "ledger.sqlite3", **changes)
    with anyio.fail_after(60):
        async with serving(settings, Seams(sandbox=build_sandbox()), ledger_of(settings)) as url:
            yield Served(url, tokens, folder)


async def test_a_caller_signs_in_with_a_code_and_answers_its_own_previews_alone(tmp_path: Path) -> None:
    async with (
        served(tmp_path) as here,
        http_client(here.url) as http,
        client_of(here.url, here.tokens["alice"]) as alice,
        client_of(here.url, here.tokens["bob"]) as bob,
    ):
        hers = await previewed(alice, address=address_of(1))
        his = await previewed(bob, address=address_of(2))
        assert (await http.get("/")).status_code == 401
        assert (await here.sign_in(http, "alice")).status_code == 200
        page = (await http.get("/")).text
        assert hers["out_order_id"] in page
        assert his["out_order_id"] not in page
        assert 'action="/pause"' not in page
        assert "Signed in as caller:alice" in page, "another's code may have brought a person here"
        (yes,) = forms_in(page, "/yes")
        assert (await http.post("/yes", data=yes, headers={"origin": here.url})).status_code == 303
        created = await call(alice, "create_order", hers["create_order_arguments"])
        assert created["order"]["approval"] == {"method": "page", "verified": True}
        answer = await call(bob, "create_order", his["create_order_arguments"])
        assert answer["problem"]["code"] == "approval_required", "alice's page is not open for bob"


async def test_a_code_works_once_and_for_callers_that_there_are(tmp_path: Path) -> None:
    async with served(tmp_path) as here, http_client(here.url) as http:
        code = (await here.command("caller", "page", "alice")).stdout.strip()
        assert re.fullmatch(r"[\w-]{32}", code), "192 bits"
        answers = [
            await http.post("/enter", data={"code": given}, headers={"origin": here.url})
            for given in ("guessed", code)
        ]
        assert [answer.status_code for answer in answers] == [403, 200]
        http.cookies.clear()
        again = await http.post("/enter", data={"code": code}, headers={"origin": here.url})
        assert again.status_code == 403
        assert (await here.command("caller", "page", "nobody")).exit_code == 1
        assert (await here.command("caller", "page")).exit_code == 2
        assert (await here.command("caller", "page", "--oauth", "no-issuer")).exit_code == 2
        assert (await here.command("caller", "page", "--oauth", "https://issuer|subject")).exit_code == 0


async def test_a_removed_caller_is_out_at_once(tmp_path: Path) -> None:
    async with served(tmp_path) as here, http_client(here.url) as http:
        await here.sign_in(http, "alice")
        assert (await http.get("/")).status_code == 200
        remove_caller(tmp_path / "callers.toml", "alice")
        assert (await http.get("/")).status_code == 401


async def test_a_session_ends_with_its_caller_though_the_name_is_given_again(tmp_path: Path) -> None:
    callers = tmp_path / "callers.toml"
    async with served(tmp_path) as here, http_client(here.url) as http:
        await here.sign_in(http, "alice")
        remove_caller(callers, "alice")
        new_caller(callers, "alice")
        assert (await http.get("/")).status_code == 401
        assert (await here.sign_in(http, "alice")).status_code == 200
        assert (await http.get("/")).status_code == 200


async def test_a_session_lasts_while_a_token_of_its_beginning_is_in_the_callers_file(tmp_path: Path) -> None:
    def keep(*digests: str) -> None:
        (tmp_path / "callers.toml").write_text(f"[callers.alice]\ntoken_sha256 = {list(digests)}\n")

    old, new = "a" * 64, "b" * 64
    async with served(tmp_path) as here, http_client(here.url) as http:
        keep(old)
        await here.sign_in(http, "alice")
        statuses: list[int] = []
        for digests in ((old, new), (new,)):
            keep(*digests)
            statuses.append((await http.get("/")).status_code)
        assert statuses == [200, 401]


async def test_the_page_takes_no_path_of_the_protocol_and_answers_to_no_other_host(tmp_path: Path) -> None:
    async with served(tmp_path) as here, http_client(here.url) as http:
        assert (await http.get("/mcp")).status_code == 401
        assert (await http.get("/healthz")).json() == {"status": "ok"}
        assert (await http.get("/readyz")).json() == {"ledger": "ok"}
        assert (await http.get("/", headers={"host": "evil.example"})).status_code == 421
        assert (await http.get("/nothing")).status_code == 404


async def test_on_loopback_without_callers_the_browser_is_opened_as_on_stdio(tmp_path: Path) -> None:
    note = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >> {note}\n')
    browser.chmod(0o700)
    settings = environ_of(LEDGER=str(tmp_path / "ledger.sqlite3"), APPROVAL="require", LOG_LEVEL="INFO")
    environment = settings | {"BROWSER": f"{browser} %s"}
    async with processes(environment, tmp_path, 1) as (server,), client_of(server.url) as client:
        preview = await previewed(client)
        address = (await anyio.Path(note).read_text()).strip()
        url = re.search(r"http://[\w.:/-]+", await anyio.Path(httpx.URL(address).path).read_text())
        assert url is not None
        assert url[0].startswith(f"{server.url}/enter/")
        async with http_client(server.url) as http:
            assert (await http.get(url[0])).status_code == 200
            (yes,) = forms_in((await http.get("/")).text, "/yes")
            assert (await http.post("/yes", data=yes, headers={"origin": server.url})).status_code == 303
        created = await call(client, "create_order", preview["create_order_arguments"])
        assert created["order"]["approval"]["method"] == "page"
        log = await anyio.Path(server.log).read_text()
        assert url[0].rpartition("/")[2] not in log
        assert "GET / HTTP" in log, "other requests are logged at this level"


async def test_where_the_page_is_off_there_is_none_and_all_else_answers(tmp_path: Path) -> None:
    tokens = made_callers(tmp_path / "callers.toml", "alice")
    settings = environ_of(
        LEDGER=str(tmp_path / "ledger.sqlite3"), CALLERS=str(tmp_path / "callers.toml"), PAGE="off"
    )
    with anyio.fail_after(60):
        async with processes(settings, tmp_path, 1) as (server,), http_client(server.url) as http:
            for path in ("/", "/enter", "/static/page.css"):
                assert (await http.get(path)).status_code == 404
            assert (await http.get("/healthz")).json() == {"status": "ok"}
            async with client_of(server.url, tokens["alice"]) as client:
                assert (await previewed(client))["needs_approval"]

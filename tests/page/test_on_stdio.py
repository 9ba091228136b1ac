"""The page beside the real program on stdio: opened once, by a file, with nothing of it in what the model gets."""

import re
import sys
from pathlib import Path

import anyio
import httpx
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from harness.house import ERAS, Era, call, order_arguments, text_of
from harness.over_http import http_client
from harness.page_visit import forms_in
from harness.processes import process_environment, xportcn_mcp
from harness.settings import environ_of

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="the browser is a shell script"),
]


@pytest.mark.parametrize("era", ERAS)
async def test_a_preview_that_needs_a_yes_opens_the_browser_and_the_yes_there_places_the_order(
    tmp_path: Path, era: Era
) -> None:
    note, browser = anyio.Path(tmp_path / "opened"), anyio.Path(tmp_path / "browser")
    await browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >> {note}\n')
    await browser.chmod(0o700)
    settings = environ_of(LEDGER=str(tmp_path / "ledger.sqlite3"), APPROVAL="require", LOG_LEVEL="INFO")
    program, *words = xportcn_mcp("serve")
    environment = process_environment(settings | {"BROWSER": f"{browser} %s"})
    parameters = StdioServerParameters(command=program, args=words, env=environment)
    with anyio.fail_after(60), (tmp_path / "log").open("w") as log:
        async with Client(stdio_client(parameters, errlog=log), mode=era) as client:
            first = await client.call_tool("preview_order", order_arguments())
            assert "A page has opened on this machine" in text_of(first)
            assert "create_order waits while it is open" in text_of(first), "it may have been closed since"
            await client.call_tool("preview_order", order_arguments(3))
            (address,) = (await note.read_text()).split()
            file = anyio.Path(httpx.URL(address).path)
            (url,) = set(re.findall(r"http://[\w.:/-]+/enter/[\w-]+", await file.read_text()))
            async with http_client(url.partition("/enter/")[0]) as http:
                assert (await http.get(url)).status_code == 200
                preview = first.structured_content["preview"]
                forms = {form["code"]: form for form in forms_in((await http.get("/")).text, "/yes")}
                yes = forms[preview["approval_code"]]
                origin = {"origin": str(http.base_url).rstrip("/")}
                assert (await http.post("/yes", data=yes, headers=origin)).status_code == 303
            created = await call(client, "create_order", preview["create_order_arguments"])
            assert created["order"]["approval"] == {"method": "page", "verified": True}
    assert not await file.exists(), "it goes with the server"
    secret = url.rpartition("/")[2]
    assert secret not in str(first) + str(created)
    assert secret not in await anyio.Path(tmp_path / "log").read_text()

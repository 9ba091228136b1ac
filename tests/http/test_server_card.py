"""The server card: what a client learns before it connects, as a stranger without a token reads it."""

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.house import ERAS, Era
from harness.over_http import STATE_KEY, client_of, http_client, made_callers, serving
from harness.settings import live, settings_for
from xportcn_server.app import Seams, ledger_of
from xportcn_server.sandbox.service import build_sandbox

pytestmark = pytest.mark.anyio

CARD = "/.well-known/mcp/server-card.json"
SERVER: dict[str, Any] = json.loads((Path(__file__).parents[2] / "server.json").read_text("utf-8"))


@asynccontextmanager
async def site(folder: Path, bound_to: str = "127.0.0.1", **changes: str) -> AsyncGenerator[str]:
    settings = settings_for(folder / "ledger.sqlite3", **changes)
    with anyio.fail_after(60):
        async with serving(settings, Seams(sandbox=build_sandbox()), ledger_of(settings), bound_to) as url:
            yield url


async def card_at(url: str, path: str = CARD, **headers: str) -> dict[str, Any]:
    async with http_client(url) as http:
        answer = await http.get(path, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/mcp-server-card+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "GET"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    return answer.json()


async def test_the_card_has_the_form_of_the_draft_and_the_registrys_words(tmp_path: Path) -> None:
    async with site(tmp_path) as url:
        card = await card_at(url)
        assert await card_at(url, "/mcp/server-card") == card
    assert set(card) == {"$schema", "name", "version", "title", "description", "icons", "remotes"}
    assert card["$schema"] == "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json"
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", card["name"])
    assert len(card["description"]) <= 100
    for name in ("name", "version", "title", "description"):
        assert card[name] == SERVER[name]
    (icon,) = card["icons"]
    assert set(icon) == {"src", "mimeType", "sizes"}


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_knows_the_card_alone_can_connect(tmp_path: Path, era: Era) -> None:
    async with site(tmp_path) as url:
        card = await card_at(url)
        (remote,) = card["remotes"]
        assert set(remote) == {"type", "url", "supportedProtocolVersions"}
        assert remote["type"] == "streamable-http"
        async with client_of(remote["url"].removesuffix("/mcp"), era=era) as client:
            assert client.protocol_version in remote["supportedProtocolVersions"]
            assert client.server_info
            assert (client.server_info.version, client.server_info.title) == (card["version"], card["title"])
            icons = client.server_info.icons or []
    assert [each.model_dump(mode="json", by_alias=True, exclude_none=True) for each in icons] == card["icons"]


async def test_where_callers_need_a_token_the_card_says_so_and_needs_none_itself(tmp_path: Path) -> None:
    tokens = made_callers(tmp_path / "callers.toml", "alice")
    changes = live() | {"CALLERS": str(tmp_path / "callers.toml"), "STATE_KEYS": STATE_KEY}
    async with site(tmp_path, **changes) as url:
        card = await card_at(url)
        async with http_client(url) as http:
            assert (await http.get("/mcp")).status_code == 401
    (header,) = card["remotes"][0]["headers"]
    assert header["name"] == "Authorization"
    assert (header["isRequired"], header["isSecret"]) == (True, True)
    text = json.dumps(card)
    for secret in (tokens["alice"], "alice", STATE_KEY, *(live()[name] for name in live() if name != "MODE")):
        assert secret not in text


async def test_it_can_only_be_read(tmp_path: Path) -> None:
    async with site(tmp_path) as url, http_client(url) as http:
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            assert (await http.request(method, CARD)).status_code == 405, method
        assert (await http.head(CARD)).content == b""


@pytest.mark.parametrize(
    ("bound_to", "audience", "host", "expected"),
    [
        ("127.0.0.1", "", "localhost:8000", "http://localhost:8000/mcp"),
        ("127.0.0.1", "", "evil.example", None),
        ("0.0.0.0", "", "orders.example", None),  # noqa: S104 - as `--host` names it
        ("0.0.0.0", "https://orders.example/mcp", "evil.example", "https://orders.example/mcp"),  # noqa: S104
    ],
)
async def test_its_address_is_the_owners_and_no_host_that_a_stranger_names(
    tmp_path: Path, bound_to: str, audience: str, host: str, expected: str | None
) -> None:
    changes = {"OAUTH_AUDIENCE": audience} if audience else {}
    async with site(tmp_path, bound_to, **changes) as url:
        card = await card_at(url, host=host)
    assert [remote["url"] for remote in card.get("remotes", [])] == ([expected] if expected else [])

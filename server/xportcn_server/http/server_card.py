"""The server card: what a client can learn before it connects, as JSON, without a token.

It follows SEP-2127, MCP Server Cards (schema v1 and `docs/discovery.md` of
modelcontextprotocol/experimental-ext-server-card, as of summer 2026). That is a draft, and may change. It
reserves `/mcp/server-card`; clients of its earlier drafts and of SEP-1649 ask at the well-known path. A card
names no tools: a client lists them once it is connected.
"""

from collections.abc import Callable
from typing import Any

from mcp.server import MCPServer
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from starlette.requests import Request
from starlette.responses import JSONResponse

PATHS = ("/.well-known/mcp/server-card.json", "/mcp/server-card")
SCHEMA = "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json"
REGISTERED_AS = "io.github.xportcn-mcp/xportcn-mcp"
SUMMARY = "Order from 1688 suppliers through Xportcn: preview, approve, create, at most once."
"""This and the name before it are those of `server.json`."""

HEADERS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET",
    "access-control-allow-headers": "Content-Type",
    "cache-control": "public, max-age=3600",
}


def add_server_card(server: MCPServer[Any], url_for: Callable[[str], str | None]) -> None:
    """Publish the card. `url_for` a Host header: the URL of `/mcp`, where it is known."""

    async def answer(request: Request) -> JSONResponse:
        url = url_for(request.headers.get("host", ""))
        return JSONResponse(
            server_card(server, url), headers=HEADERS, media_type="application/mcp-server-card+json"
        )

    for path in PATHS:
        server.custom_route(path, methods=["GET"])(answer)


def server_card(server: MCPServer[Any], url: str | None) -> dict[str, Any]:
    """The card as JSON. `url`: of `/mcp`; without it the card says who the server is, not where."""
    card: dict[str, Any] = {
        "$schema": SCHEMA,
        "name": REGISTERED_AS,
        "version": server.version,
        "title": server.title,
        "description": SUMMARY,
        "icons": [
            icon.model_dump(mode="json", by_alias=True, exclude_none=True) for icon in server.icons or ()
        ],
    }
    if url is None:
        return card
    remote: dict[str, Any] = {
        "type": "streamable-http",
        "url": url,
        "supportedProtocolVersions": [*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS],
    }
    if server.settings.auth:
        remote["headers"] = [
            {
                "name": "Authorization",
                "description": "Bearer, and a token that the owner of this server has given you",
                "isRequired": True,
                "isSecret": True,
            }
        ]
    return card | {"remotes": [remote]}

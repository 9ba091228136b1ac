"""The card that a client with MCP Apps shows beside a result: one HTML document, `ui://xportcn/order.html`.

MCP Apps is SEP-1865, in its version of 2026-01-26. The document has the look and the words of the page for
people; what it shows, its script takes from the tool's result. Nothing depends on it: the result is complete
without it, and clients without the extension do not see it among the resources.
"""

import json
import re
from collections.abc import Iterable
from importlib.metadata import version
from importlib.resources import files
from string import Template
from typing import Any

from mcp.server import MCPServer
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension
from mcp.server.mcpserver.resources import TextResource
from mcp.server.mcpserver.tools import Tool

from xportcn_server.guide.icons import tool_icon
from xportcn_server.settings.settings import Settings

URI = "ui://xportcn/order.html"
SHOWN_FOR = ("get_product", "preview_order", "create_order")
PICTURES = "https://*.alicdn.com"
PROTOCOL = "2026-01-26"


class Cards(Extension):
    """What `MCPServer(extensions=…)` takes: a handshake names the extension. `add_card` has the card."""

    identifier = "io.modelcontextprotocol/ui"


def add_card(server: MCPServer[Any], settings: Settings) -> None:
    """Register the document as a resource. `dressed` binds the tools to it."""
    csp: dict[str, list[str]] = {
        "resourceDomains": [PICTURES] if _has_pictures(settings) else [],
        "connectDomains": [],
    }
    server.add_resource(
        TextResource(
            uri=URI,
            name="order_card",
            title="Card of an order",
            description="Shows a product, a preview or an order",
            mime_type="text/html;profile=mcp-app",
            meta={"ui": {"csp": csp, "prefersBorder": False}},
            text=card_document(settings),
        )
    )


def dressed(tools: Iterable[Tool]) -> list[Tool]:
    """These tools with their icons, and bound to the card where it shows their results."""
    return [
        tool.model_copy(
            update={
                "icons": [tool_icon(tool.name)],
                "meta": {"ui": {"resourceUri": URI}} if tool.name in SHOWN_FOR else None,
            }
        )
        for tool in tools
    ]


async def hide_card(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Middleware: the card is listed for clients that can show it; for others it is nothing to attach."""
    result = await call_next(ctx)
    if ctx.method != "resources/list" or not isinstance(result, dict):
        return result
    from mcp.server.apps import client_supports_apps  # noqa: PLC0415 - most clients never list them

    if client_supports_apps(ctx):
        return result
    return result | {"resources": [each for each in result["resources"] if each["uri"] != URI]}


def card_document(settings: Settings) -> str:
    """The whole HTML document. It takes nothing from elsewhere but pictures, where the owner shows them."""
    from xportcn_tools.messages import MESSAGES  # noqa: PLC0415 - a handshake needs no more than `Cards`

    folder = files("xportcn_server.guide")
    script = "\n".join(
        folder.joinpath(name).read_text("utf-8") for name in ("order_card.js", "card_client.js")
    )
    own = {
        "language": settings.language,
        "zone": settings.timezone,
        "pictures": _has_pictures(settings),
        "protocol": PROTOCOL,
        "version": version("xportcn-mcp"),
        "words": {key: MESSAGES[key] for key in _keys_of(script, MESSAGES)},
    }
    return Template(folder.joinpath("order_card.html").read_text("utf-8")).substitute(
        pictures=PICTURES if _has_pictures(settings) else "'none'",
        style=files("xportcn_server.page").joinpath("static", "page.css").read_text("utf-8"),
        own=json.dumps(own, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
        script=script,
    )


def _has_pictures(settings: Settings) -> bool:
    """The sandbox's pictures are drawn here and have no address that a client could fetch."""
    return settings.pictures == "on" and settings.mode != "sandbox"


def _keys_of(script: str, messages: Iterable[str]) -> list[str]:
    """The messages that the script says: those it names, and those it makes of a result's own words."""
    made = [key for key in messages if key.startswith(("mode_", "sent_"))]
    states = ["sending", "placed", "rejected", "unknown", "absent"]
    return list(dict.fromkeys([*re.findall(r'\bt\("(\w+)"', script), *made, *states]))

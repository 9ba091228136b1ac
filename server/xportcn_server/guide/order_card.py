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
from typing import Any, get_args

from mcp.server.apps import Apps, ResourceCsp, client_supports_apps
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver.tools import Tool

from xportcn_server.guide.icons import tool_icon
from xportcn_server.settings.settings import Settings
from xportcn_tools.messages import MESSAGES
from xportcn_tools.results import Environment, OrderState, RequestSent

URI = "ui://xportcn/order.html"
SHOWN_FOR = ("get_product", "preview_order", "create_order")
PICTURES = "https://*.alicdn.com"
PROTOCOL = "2026-01-26"


def order_card(settings: Settings) -> Apps:
    """The extension, with the card as its resource. `dressed` binds the tools to it."""
    pictures = [PICTURES] if _has_pictures(settings) else []
    apps = Apps()
    apps.add_html_resource(
        URI,
        card_document(settings),
        name="order_card",
        title="Card of an order",
        description="Shows a product, a preview or an order",
        csp=ResourceCsp(resource_domains=pictures, connect_domains=[]),
        prefers_border=False,
    )
    return apps


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
    if ctx.method == "resources/list" and isinstance(result, dict) and not client_supports_apps(ctx):
        return result | {"resources": [each for each in result["resources"] if each["uri"] != URI]}
    return result


def card_document(settings: Settings) -> str:
    """The whole HTML document. It takes nothing from elsewhere but pictures, where the owner shows them."""
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
        "words": {key: MESSAGES[key] for key in _keys_of(script)},
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


def _keys_of(script: str) -> list[str]:
    """The messages that the script says: those it names, and those it makes of a result's own words."""
    made = [
        *(f"mode_{each}" for each in get_args(Environment)),
        *(f"sent_{each}" for each in get_args(RequestSent)),
        *get_args(OrderState),
    ]
    return list(dict.fromkeys([*re.findall(r'\bt\("(\w+)"', script), *made]))

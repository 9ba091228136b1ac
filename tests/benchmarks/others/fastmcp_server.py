"""`python fastmcp_server.py ANSWER`: fastmcp on stdio, with one tool that always gives the same answer."""

import json
import sys
from pathlib import Path
from typing import Any

from fastmcp import FastMCP
from fastmcp.tools import ToolResult
from mcp.types import TextContent

given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
server = FastMCP("bare")


@server.tool
async def preview_order(items: list[dict[str, Any]], address: dict[str, Any], flow: str) -> ToolResult:
    del items, address, flow
    content = [TextContent(type="text", text=block["text"]) for block in given["content"]]
    return ToolResult(content=content, structured_content=given["structuredContent"])


server.run("stdio", show_banner=False)

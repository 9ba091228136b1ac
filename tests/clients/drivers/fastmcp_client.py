"""FastMCP's client: it has no model; a host gets both halves of a result, and of an error the text alone."""

import asyncio

from fastmcp import Client
from fastmcp.exceptions import ToolError
from the_model import next_call, server


async def main() -> None:
    async with Client({"mcpServers": {"xportcn": server}}) as client:
        tools = [
            {"name": each.name, "description": each.description, "parameters": each.input_schema}
            for each in await client.list_tools()
        ]
        call = await next_call(tools=tools)
        while call:
            try:
                result = await client.call_tool(call["tool"], call["arguments"])
                shown = {"text": result.content[0].text, "structured": result.structured_content}
            except ToolError as error:
                shown = {"text": str(error)}
            call = await next_call(**shown)


asyncio.run(main())

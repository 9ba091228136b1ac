"""mcp-use's agent and client."""

import asyncio

from langchain_chat import Model
from mcp_use import MCPAgent, MCPClient
from the_model import server


async def main() -> None:
    client = MCPClient.from_dict({"mcpServers": {"xportcn": server}})
    await MCPAgent(llm=Model(), client=client, max_steps=30).run("an order, please")
    await client.close_all_sessions()


asyncio.run(main())

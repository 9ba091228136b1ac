"""langchain-mcp-adapters, as its README has it: the client's tools in an agent. Each call is a session of its own."""

import asyncio

from langchain.agents import create_agent
from langchain_chat import Model
from langchain_mcp_adapters.client import MultiServerMCPClient
from the_model import server


async def main() -> None:
    transport = "streamable_http" if "url" in server else "stdio"
    client = MultiServerMCPClient({"xportcn": {"transport": transport, **server}})
    agent = create_agent(Model(), await client.get_tools())
    await agent.ainvoke({"messages": "an order, please"}, {"recursion_limit": 60})


asyncio.run(main())

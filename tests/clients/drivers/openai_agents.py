"""The OpenAI Agents SDK, with the server among an agent's."""

import asyncio

from agents import Agent, Runner
from agents.mcp import MCPServerStdio, MCPServerStreamableHttp
from openai_model import Scripted
from the_model import server


async def main() -> None:
    kind = MCPServerStreamableHttp if "url" in server else MCPServerStdio
    # Five seconds unless set, and a create may take 55; see docs/clients.md.
    async with kind(params=server, client_session_timeout_seconds=60) as xportcn:
        agent = Agent(name="buyer", model=Scripted(), mcp_servers=[xportcn])
        await Runner.run(agent, "an order, please", max_turns=30)


asyncio.run(main())

"""Order in a chat with an agent of the OpenAI Agents SDK: python openai_agent.py

Rule of approval: XPORTCN_APPROVAL=require. The server itself wants a person's recorded yes: the result says
so, and the agent passes the approval code on. The person runs `xportcn-mcp approve CODE` and tells the agent
to go on.
Needs openai-agents.
"""

import asyncio

from agents import Agent, Runner, SQLiteSession
from agents.mcp import MCPServerStdio

SERVER = {"command": "xportcn-mcp", "args": ["serve"], "env": {"XPORTCN_APPROVAL": "require"}}
SECONDS = 60  # the SDK's own 5 would end a create that waits for the upstream


async def chat(model, ask=input):
    session = SQLiteSession("orders")
    async with MCPServerStdio(params=SERVER, client_session_timeout_seconds=SECONDS) as xportcn:
        agent = Agent(name="Buyer", model=model, mcp_servers=[xportcn])
        answer = "What shall I order, and to which address?"
        while said := ask(f"{answer}\n> "):
            run = await Runner.run(agent, said, session=session, max_turns=30)
            answer = run.final_output


if __name__ == "__main__":
    asyncio.run(chat("gpt-5.2"))

"""Order with a LangChain agent: python langchain_agent.py "two white mugs, https://detail.1688.com/…, to …"

Rule of approval: XPORTCN_APPROVAL=ask. This client has no form, so its own question is the approval: the
agent stops before create_order, and a person sees goods, total and address, and says yes or no.
Needs langchain, langchain-mcp-adapters and the package of your model.
"""

import asyncio
import sys

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_mcp_adapters.client import MultiServerMCPClient
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

SERVER = {
    "command": "xportcn-mcp",
    "args": ["serve"],
    "env": {"XPORTCN_APPROVAL": "ask"},
    "transport": "stdio",
}
REVIEW = HumanInTheLoopMiddleware(interrupt_on={"create_order": {"allowed_decisions": ["approve", "reject"]}})


async def order(wish, model, ask=input):
    tools = await MultiServerMCPClient({"xportcn": SERVER}).get_tools()
    agent = create_agent(model, tools, middleware=[REVIEW], checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    state = await agent.ainvoke({"messages": wish}, thread)
    while "__interrupt__" in state:
        calls = state["__interrupt__"][0].value["action_requests"]
        answers = [ask(f"Order this? {call['args']} [y/N] ") for call in calls]
        decisions = [{"type": "approve" if answer == "y" else "reject"} for answer in answers]
        state = await agent.ainvoke(Command(resume={"decisions": decisions}), thread)
    return state["messages"][-1].text


if __name__ == "__main__":
    print(asyncio.run(order(sys.argv[1], "openai:gpt-5.2")))

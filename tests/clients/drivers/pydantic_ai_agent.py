"""Pydantic AI, with the server as a toolset of an agent."""

import asyncio

from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    RetryPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel
from the_model import next_call, server


async def model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    last = messages[-1].parts[-1]
    if isinstance(last, ToolReturnPart):
        shown = {"text": last.model_response_str()}
    elif isinstance(last, RetryPromptPart):
        shown = {"text": last.model_response()}
    else:
        tools = info.function_tools
        shown = {
            "tools": [
                {
                    "name": each.name,
                    "description": each.description,
                    "parameters": each.parameters_json_schema,
                }
                for each in tools
            ]
        }
    call = await next_call(**shown)
    return ModelResponse([ToolCallPart(call["tool"], call["arguments"]) if call else TextPart("done")])


async def main() -> None:
    # Five seconds unless set; the machine may have other things to do.
    toolset = MCPToolset(server["url"] if "url" in server else StdioTransport(**server), init_timeout=60)
    await Agent(FunctionModel(model), toolsets=[toolset]).run("an order, please")


asyncio.run(main())

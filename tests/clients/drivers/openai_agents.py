"""The OpenAI Agents SDK, with the server among an agent's."""

import asyncio
import json
from typing import Any

from agents import Agent, Model, ModelResponse, Runner, Usage
from agents.mcp import MCPServerStdio, MCPServerStreamableHttp
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText
from the_model import next_call, server


class Scripted(Model):
    async def get_response(
        self, system: Any, items: Any, settings: Any, tools: Any, *_: Any, **__: Any
    ) -> ModelResponse:
        last = items[-1]
        if last.get("type") == "function_call_output":
            parts = last["output"]
            shown = {"text": parts if isinstance(parts, str) else "".join(part["text"] for part in parts)}
        else:
            shown = {
                "tools": [
                    {
                        "name": each.name,
                        "description": each.description,
                        "parameters": each.params_json_schema,
                    }
                    for each in tools
                ]
            }
        call = await next_call(**shown)
        if call:
            output: Any = ResponseFunctionToolCall(
                type="function_call",
                call_id=str(len(items)),
                name=call["tool"],
                arguments=json.dumps(call["arguments"]),
            )
        else:
            text = ResponseOutputText(type="output_text", text="done", annotations=[])
            output = ResponseOutputMessage(
                id="1", type="message", role="assistant", status="completed", content=[text]
            )
        return ModelResponse(output=[output], usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


async def main() -> None:
    kind = MCPServerStreamableHttp if "url" in server else MCPServerStdio
    # Five seconds unless set, and a create may take 55; see docs/clients.md.
    async with kind(params=server, client_session_timeout_seconds=60) as xportcn:
        agent = Agent(name="buyer", model=Scripted(), mcp_servers=[xportcn])
        await Runner.run(agent, "an order, please", max_turns=30)


asyncio.run(main())

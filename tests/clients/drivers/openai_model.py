"""The model of the OpenAI Agents SDK: its answers are what comes in on stdin."""

import json
from typing import Any

from agents import Model, ModelResponse, Usage
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText
from the_model import next_call


class Scripted(Model):
    async def get_response(
        self,
        system_instructions: Any,
        input: Any,  # noqa: A002 - the SDK names it
        model_settings: Any,
        tools: Any,
        *_: Any,
        **__: Any,
    ) -> ModelResponse:
        last = input[-1]
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
                call_id=str(len(input)),
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

"""The chat model of the two frameworks that stand on LangChain."""

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from the_model import next_call


class Model(BaseChatModel):
    """Its answers are what comes in on stdin."""

    tools: tuple[dict[str, Any], ...] = ()

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **_: Any) -> "Model":
        return Model(tools=tuple(convert_to_openai_tool(tool)["function"] for tool in tools))

    async def _agenerate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        last = messages[-1]
        shown = {"text": last.text} if isinstance(last, ToolMessage) else {"tools": self.tools}
        call = await next_call(**shown)
        calls = [{"name": call["tool"], "args": call["arguments"], "id": str(len(messages))}] if call else []
        return ChatResult(generations=[ChatGeneration(message=AIMessage("done", tool_calls=calls))])

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise NotImplementedError

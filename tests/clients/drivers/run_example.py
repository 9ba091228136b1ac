"""Runs an example with our model in place of a language model; its questions to people are shown as `asked`."""

import asyncio
import runpy
import sys
from pathlib import Path

from the_model import say

example = Path(sys.argv[1])
functions = runpy.run_path(str(example))


def ask(question: str) -> str:
    return (say(asked=question) or {"answer": ""})["answer"]


if example.stem == "langchain_agent":
    from langchain_chat import Model

    asyncio.run(functions["order"]("an order, please", Model(), ask))
else:
    from openai_model import Scripted

    asyncio.run(functions["chat"](Scripted(), ask))

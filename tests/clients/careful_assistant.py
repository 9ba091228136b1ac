"""The careful assistant of model_requests.json, without a language model: it reads one half of each result.

What stands for an id in the file it takes from the answers that it has read, and from nothing else.
"""

import json
import re
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any, cast

from mcp import Client
from mcp_types import CallToolResult

from clients.model_requests import NEXT, SCRIPT, TOKEN, Call, Request, with_ids
from clients.scripted_agent import Half, Seen, read
from harness.house import text_of

Send = Callable[[str, dict[str, Any]], dict[str, Any]]
"""What a host makes of the arguments of a tool."""
HALVES: tuple[Half, ...] = ("text", "structured content")
_SPEC_ID = re.compile(r"\b[0-9a-f]{32}\b")
_GIVEN = "preview_order "


@dataclass(frozen=True)
class Turn:
    """A call that was made, what its half of the result showed, and all that was said and shown before."""

    request: Request
    call: Call
    arguments: dict[str, Any]
    seen: Seen
    heard: tuple[str, ...]


async def turns(
    client: Client, half: Half, send: Send = lambda _, arguments: arguments
) -> AsyncGenerator[Turn]:
    """All requests in their order. Each starts with nothing but its words, or where the one it follows ended."""
    talks: dict[str | None, tuple[tuple[str, ...], tuple[Seen, ...]]] = {None: ((), ())}
    for request in SCRIPT.requests:
        heard, answers = talks[request.follows]
        heard = (*heard, request.says)
        for call in request.calls:
            arguments = _arguments(call, answers)
            result = await client.call_tool(call.tool, send(call.tool, arguments))
            assert isinstance(result, CallToolResult)
            seen = read({"text": text_of(result), "structured": result.structured_content}, half)
            assert seen.half == half
            yield Turn(request, call, arguments, seen, heard)
            heard, answers = (*heard, seen.whole), (*answers, seen)
        talks[request.id] = heard, answers


def _arguments(call: Call, answers: tuple[Seen, ...]) -> dict[str, Any]:
    if call.given:
        return _given(next(seen for seen in reversed(answers) if seen.code == "several_sellers"))[
            call.given - 1
        ]
    if call.arguments.get("preview_token") == TOKEN:
        ready = answers[-1].create
        assert ready is not None, answers[-1].whole
        # Total, address and goods are those that the file has; only the token is random.
        assert ready == call.arguments | {"preview_token": ready["preview_token"]}
        return ready
    if call.arguments.get("before") == NEXT:
        (reference,) = re.findall(r'"(?:next_)?before": "([^"]+)"', answers[-1].whole)
        return call.arguments | {"before": reference}
    return with_ids(call.arguments, "", lambda words: _spec_of(words, answers[-1]))


def _spec_of(words: str, seen: Seen) -> str:
    """The one spec id that stands with an option of these words."""
    if seen.half == "text":
        option = re.compile(rf"「{re.escape(words)}」")
        lines = [line for line in seen.whole.splitlines() if option.search(line)]
        found = _SPEC_ID.findall("\n".join(lines))
    else:
        found = [part["spec_id"] for part in _objects(json.loads(seen.whole)) if part.get("option") == words]
    (spec_id,) = set(found)
    return spec_id


def _given(seen: Seen) -> list[dict[str, Any]]:
    """The arguments of each seller's preview."""
    if seen.half == "text":
        lines = seen.whole.splitlines()
        return [json.loads(line.removeprefix(_GIVEN)) for line in lines if line.startswith(_GIVEN)]
    by_seller = json.loads(seen.whole)["problem"]["details"]["by_seller"]
    return [seller["preview_order_arguments"] for seller in by_seller]


def _objects(value: object) -> list[dict[str, Any]]:
    """Every object in a JSON value."""
    if isinstance(value, list):
        return [part for each in cast("list[object]", value) for part in _objects(each)]
    if not isinstance(value, dict):
        return []
    fields = cast("dict[str, Any]", value)
    return [fields, *_objects(list(fields.values()))]

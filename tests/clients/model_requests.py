"""Thirty things that people ask for, with the arguments that a careful person would send.

The data is model_requests.json: the one table, for the tests and for docs/requests.md. They are one
conversation over one sandbox, in their order: what an answer says of an order stands on what came before.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

DATA = Path(__file__).with_suffix(".json")
LANGUAGES = {"en": "English", "zh": "Chinese", "vi": "Vietnamese"}
BEYOND_A_DOUBLE = 2**53 + 1


class Request(BaseModel):
    """What was asked, and the call for it. `follows`: the request whose preview a create takes up.

    `answer`: `ok`, or the code of the problem that the call rightly meets.
    """

    model_config = ConfigDict(extra="forbid")

    id: str
    language: str
    request: str
    tool: str
    arguments: dict[str, Any]
    answer: str
    follows: str | None = None


class Script(BaseModel):
    model_config = ConfigDict(extra="forbid")

    saved_addresses: dict[str, dict[str, str]]
    requests: list[Request]


SCRIPT = Script.model_validate(json.loads(DATA.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Broken:
    """Arguments with one mistake, and the field that the refusal must name."""

    field: str
    arguments: dict[str, Any]


def broken(request: Request, turn: int) -> list[Broken]:
    """An argument that is none, an id as a number that no client can carry, and a field left out (or, where
    none is required, a wrong word). `turn` picks which field it is.
    """
    return [make(copy.deepcopy(request.arguments), turn) for make in _MISTAKES[request.tool]]


def _with(name: str, value: object) -> Callable[[dict[str, Any], int], Broken]:
    return lambda arguments, _: Broken(name, arguments | {name: value})


def _number_as_offer(arguments: dict[str, Any], _: int) -> Broken:
    arguments["items"][0]["offer_id"] = BEYOND_A_DOUBLE
    return Broken("items[0].offer_id", arguments)


def _preview_lacks(arguments: dict[str, Any], turn: int) -> Broken:
    last = len(arguments["items"]) - 1
    parts: list[tuple[str, dict[str, Any], str]] = [
        ("items", arguments, "items"),
        (f"items[{last}].offer_id", arguments["items"][last], "offer_id"),
        (f"items[{last}].quantity", arguments["items"][last], "quantity"),
    ]
    if "address" in arguments:
        required = ("full_name", "mobile", "province", "address")
        parts = [(f"address.{name}", arguments["address"], name) for name in required]
    field, holder, name = parts[turn % len(parts)]
    del holder[name]
    return Broken(field, arguments)


def _create_lacks(arguments: dict[str, Any], turn: int) -> Broken:
    name = sorted(arguments)[turn % len(arguments)]
    del arguments[name]
    return Broken(name, arguments)


_MISTAKES: dict[str, tuple[Callable[[dict[str, Any], int], Broken], ...]] = {
    "preview_order": (_with("currency", "USD"), _number_as_offer, _preview_lacks),
    "create_order": (_with("quantity", 3), _with("preview_token", BEYOND_A_DOUBLE), _create_lacks),
    "get_orders": (_with("caller", "me"), _with("reference", BEYOND_A_DOUBLE), _with("state", "lost")),
}


def as_markdown() -> str:
    """The examples of docs/requests.md."""
    parts: list[str] = []
    for language, title in LANGUAGES.items():
        parts.append(f"## {title}")
        for request in SCRIPT.requests:
            if request.language != language:
                continue
            follows = f", after the preview of {request.follows}" if request.follows else ""
            answer = "" if request.answer == "ok" else f" → `{request.answer}`"
            lines = [
                f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
                for name, value in request.arguments.items()
            ]
            arguments = "{\n" + ",\n".join(lines) + "\n}"
            parts += [
                f"### {request.id}",
                f"> {request.request}",
                f"`{request.tool}`{follows}{answer}",
                f"```json\n{arguments}\n```",
            ]
    return "\n\n".join(parts)

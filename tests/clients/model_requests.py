"""Forty things that people ask for, with the calls that a careful assistant makes for them.

The data is model_requests.json: the one table, for the tests and for docs/requests.md. They are one
conversation over one sandbox, in their order: what an answer says of an order stands on what came before.
"""

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

DATA = Path(__file__).with_suffix(".json")
LANGUAGES = {"en": "English", "zh": "Chinese", "vi": "Vietnamese"}
BEYOND_A_DOUBLE = 2**53 + 1

TOKEN = "{token}"
"""Stands for the random token of the last preview."""
NEXT = "{next}"
"""Stands for the `next_before` of the last answer."""
SPEC = re.compile(r"\{spec of (.+)\}")
"""Stands for the spec id of the option with these words, which an earlier answer listed."""


class Call(BaseModel):
    """A call, and what comes of it: `answer` is `ok` or a problem's code, `shows` texts that are in the answer.

    `given`: it takes the arguments that `several_sellers` has ready for this seller, from 1.
    """

    model_config = ConfigDict(extra="forbid")

    tool: str
    answer: str
    shows: list[str]
    arguments: dict[str, Any] = {}
    given: int | None = None


class Request(BaseModel):
    """What a person says, and the calls for it. `follows`: the request that came before in the same talk."""

    model_config = ConfigDict(extra="forbid")

    id: str
    says: str
    calls: list[Call]
    follows: str | None = None

    @property
    def language(self) -> str:
        return self.id.partition("-")[0]


class Script(BaseModel):
    model_config = ConfigDict(extra="forbid")

    saved_addresses: dict[str, dict[str, str]]
    requests: list[Request]

    @property
    def written_calls(self) -> list[Call]:
        """Those whose arguments are in the file."""
        return [call for request in self.requests for call in request.calls if not call.given]


SCRIPT = Script.model_validate(json.loads(DATA.read_text(encoding="utf-8")))


def with_ids(arguments: dict[str, Any], token: str, spec_of: Callable[[str], str]) -> dict[str, Any]:
    """The arguments with an id wherever they have what stands for one."""
    if arguments.get("preview_token") == TOKEN:
        return arguments | {"preview_token": token}
    arguments = copy.deepcopy(arguments)
    for item in arguments.get("items", []):
        if found := SPEC.fullmatch(item.get("spec_id", "")):
            item["spec_id"] = spec_of(found[1])
    return arguments


def sample(call: Call) -> dict[str, Any]:
    """A call's arguments with ids of the right form, which are nobody's."""
    return with_ids(call.arguments, "pv_" + "0" * 33, lambda _: "0" * 32)


@dataclass(frozen=True)
class Broken:
    """Arguments with one mistake, and the field that the refusal must name."""

    field: str
    arguments: dict[str, Any]


def broken(call: Call, turn: int) -> list[Broken]:
    """An argument that does not exist, an id as a number that no client can carry (or another field of a wrong
    form), and a field left out (or, where none is required, a wrong word). `turn` picks which field it is.
    """
    return [make(sample(call), turn) for make in _MISTAKES[call.tool]]


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


def _without(name: str) -> Callable[[dict[str, Any], int], Broken]:
    return lambda arguments, _: Broken(name, {key: arguments[key] for key in arguments if key != name})


_MISTAKES: dict[str, tuple[Callable[[dict[str, Any], int], Broken], ...]] = {
    "search_products": (_with("colour", "red"), _with("page", 0), _without("query")),
    "get_product": (_with("language", "en"), _with("offer", BEYOND_A_DOUBLE), _without("offer")),
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
            if request.language == language:
                after = f", after {request.follows}" if request.follows else ""
                parts += [f"### {request.id}{after}", f"> {request.says}", *map(_as_markdown, request.calls)]
    return "\n\n".join(parts)


def _as_markdown(call: Call) -> str:
    answer = "" if call.answer == "ok" else f" → `{call.answer}`"
    shows = f" → {', '.join(f'`{text}`' for text in call.shows)}" if call.shows else ""
    if call.given:
        return f"`{call.tool}` with the arguments given for seller {call.given}{answer}{shows}"
    lines = [
        f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
        for name, value in call.arguments.items()
    ]
    block = ",\n".join(lines)
    return f"`{call.tool}`{answer}{shows}\n\n```json\n{{\n{block}\n}}\n```"

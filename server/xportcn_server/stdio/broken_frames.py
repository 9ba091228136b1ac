"""Answers to frames that cannot be read, by the ids in them: a client that gets none waits until it gives up.

The ids are found by reading the frame's tokens, since a parser is what just failed at it: half an emoji, a
number of 5,000 digits, a thousand brackets.
"""

import re

from mcp_types import INVALID_REQUEST, PARSE_ERROR
from pydantic import ValidationError

_TOKENS = re.compile(r'"[^"\\]*+(?:\\.?[^"\\]*+)*+(?:"|\Z)|[\[\]{}:,]|[^\s"\[\]{}:,]++')
_ID = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?')
_ANSWER = '{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"{message}"}}}}\n'
_NOT_JSON = (
    "The message is no JSON in UTF-8 without a byte order mark, or a number, a text or its nesting is beyond "
    "what is read here. Correct it and send it again."
)
_BATCH = "MCP has no batches. Send each message on a line of its own."
_NO_REQUEST = "The message is no request of JSON-RPC 2.0: jsonrpc, id (a text or an integer), method, params."


def answers(frame: str, fault: Exception | None) -> list[str]:
    """A line of error for each request in the frame whose id is found. `fault`: what reading it raised."""
    code, message = INVALID_REQUEST, _BATCH if _is_batch(frame) else _NO_REQUEST
    if fault and not (isinstance(fault, ValidationError) and fault.errors()[0]["type"] != "json_invalid"):
        code, message = PARSE_ERROR, _NOT_JSON
    return [_ANSWER.format(id=each, code=code, message=message) for each in dict.fromkeys(_ids(frame))]


def _ids(frame: str) -> list[str]:
    """The ids of the requests in a frame, as they are written in it; in a batch, those of each request.

    An answer to a request of ours has an id, too: to answer it would end a request of the client's own.
    """
    ids: list[str] = []
    fields: dict[str, str] = {}
    top = 2 if _is_batch(frame) else 1
    depth = 0
    before = key = ""

    def end() -> None:
        found = fields.get('"id"', "")
        if _ID.fullmatch(found) and ('"method"' in fields or not {'"result"', '"error"'} & fields.keys()):
            ids.append(found)
        fields.clear()

    for match in _TOKENS.finditer(frame):
        piece = match[0]
        if depth == top and piece == ":":
            key = before
        elif depth == top and before == ":":
            fields[key] = piece
        if piece in ("{", "["):
            depth += 1
        elif piece in ("}", "]"):
            depth -= 1
            if depth < top:
                end()
        before = piece
    end()
    return ids


def _is_batch(frame: str) -> bool:
    return frame.lstrip("\ufeff \t").startswith("[")

"""JSON with exact decimals: `json` alone can write a money amount only by way of a float."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | Decimal | bool | None"


def encode(value: Json) -> bytes:
    """UTF-8 text of `value`, Chinese kept as it is, `Decimal` as a number with the digits it has."""
    return _text(value).encode()


def decode(body: bytes) -> object:
    """The value of a JSON text, numbers with a point as `Decimal`. Raises ValueError where it is none."""
    return json.loads(body, parse_float=Decimal)


def yuan(fen: int) -> Decimal:
    """2900 fen → 29.00 yuan, exactly."""
    return Decimal(fen).scaleb(-2)


def _text(value: Json) -> str:
    if value is None or isinstance(value, (bool, int, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        members = (
            f"{json.dumps(name, ensure_ascii=False)}: {_text(member)}" for name, member in value.items()
        )
        return "{" + ", ".join(members) + "}"
    return "[" + ", ".join(_text(element) for element in value) + "]"

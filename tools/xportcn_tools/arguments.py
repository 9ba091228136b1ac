"""Types of arguments, shared by the tools: each says what it takes, and how it is refused.

What a model sees is one flat JSON schema: no `$ref`, no `anyOf` with null. An optional argument may be
left out; null is refused like any other wrong value. Objects and lists that arrive as JSON strings
(some clients do that) are read; ids must be strings, because integers above 2^53 arrive damaged.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from annotated_types import GroupedMetadata
from pydantic import AfterValidator, BeforeValidator, StringConstraints
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from xportcn_tools.upstream.clean import INVISIBLE

_WHOLE = re.compile(r"[0-9]{1,18}(\.0{1,6})?")
_JOINER = "\u200d"  # holds the parts of an emoji together


class ToolSchema(GenerateJsonSchema):
    """Optional arguments without null, and no titles or null defaults: short, and true to what is taken."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        result = super().default_schema(schema)
        if result.get("default", ...) is None:
            del result["default"]
        return result


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema with each `$ref` into `$defs` replaced by what it names; ours never recurse."""
    definitions = cast("dict[str, Any]", schema.get("$defs", {}))

    def walk(node: Any, *, names: bool) -> Any:
        if isinstance(node, list):
            return [walk(item, names=False) for item in cast("list[Any]", node)]
        if not isinstance(node, dict):
            return node
        fields = cast("dict[str, Any]", node)
        reference = fields.get("$ref")
        if isinstance(reference, str):
            rest = {key: value for key, value in fields.items() if key != "$ref"}
            return walk(definitions[reference.rsplit("/", 1)[-1]] | rest, names=False)
        return {
            key: walk(value, names=key == "properties" and not names)
            for key, value in fields.items()
            if names or (key != "$defs" and (key != "title" or not isinstance(value, str)))
        }

    return walk(schema, names=False)


def _not_null(value: object) -> object:
    if value is None:
        raise PydanticCustomError("null_value", "must not be null; leave it out instead")
    return value


def _from_json(value: object) -> object:
    """An object or a list that a client sent as its JSON text."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _one_line(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value


def _plain(value: str | None) -> str | None:
    """Refuses text that could not be shown as it is: control, bidirectional, invisible, half characters."""
    for character in value or "":
        hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") or character in INVISIBLE
        if hidden and character != _JOINER:
            raise PydanticCustomError(
                "unprintable", "must be printable text without line breaks or invisible characters"
            )
    return value


def _whole(value: object) -> object:
    if isinstance(value, bool) or (isinstance(value, str) and not _WHOLE.fullmatch(value)):
        raise PydanticCustomError("int_type", "must be a whole number")
    return value


def _unset(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


NotNull = BeforeValidator(_not_null)
"""For an optional argument: it may be left out, but not null."""

EmptyIsUnset = BeforeValidator(_unset)

FromJson = BeforeValidator(_from_json)
WholeNumber = BeforeValidator(_whole)


@dataclass(frozen=True)
class Text(GroupedMetadata):
    """One line of printable text, without white space around it, of 1 to `most` characters."""

    most: int
    pattern: str | None = None

    def __iter__(self) -> Iterator[object]:
        yield StringConstraints(
            strip_whitespace=True, min_length=1, max_length=self.most, pattern=self.pattern
        )
        yield AfterValidator(_plain)


@dataclass(frozen=True)
class OptionalText(Text):
    """Like `Text`; it may be left out or empty, but not null. The vendor's own example sends `""`."""

    def __iter__(self) -> Iterator[object]:
        yield from super().__iter__()
        yield EmptyIsUnset
        yield NotNull


@dataclass(frozen=True)
class OptionalMessage(GroupedMetadata):
    """Like `OptionalText`, but line breaks become spaces: a message that a person typed."""

    most: int

    def __iter__(self) -> Iterator[object]:
        yield StringConstraints(max_length=self.most)
        yield AfterValidator(_plain)
        yield EmptyIsUnset
        yield BeforeValidator(_one_line)
        yield NotNull

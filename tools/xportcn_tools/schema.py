"""JSON schemas as clients need them: flat, short, and true to what is taken. Pure.

No `$ref`: some clients do badly with it. An optional argument admits null, in a list of types: hosts that
decode strictly make every property required, and null is then the way to leave one out.
"""

from typing import Any, cast

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

MOST_WORDS = 10
"""In an enumeration of a result's schema; more are codes, which docs/reliability.md lists."""


class ToolSchema(GenerateJsonSchema):
    """Null as one of the types, and no titles or defaults of null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        reference = inner.get("$ref")
        if isinstance(reference, str):
            return {"$ref": reference, "nullable": True}  # `inlined` makes a type of it
        return _or_null(inner)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        result = super().default_schema(schema)
        if result.get("default", ...) is None:
            del result["default"]
        return result


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") == "null":
        return schema
    fields = schema | {"type": [schema["type"], "null"]}
    if "enum" in fields:
        fields["enum"] = [*cast("list[Any]", fields["enum"]), None]
    return fields


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema by `ToolSchema` with each `$ref` replaced by what it names; ours never recurse."""
    definitions = cast("dict[str, Any]", schema.get("$defs", {}))

    def walk(node: Any, *, names: bool) -> Any:
        if isinstance(node, list):
            return [walk(item, names=False) for item in cast("list[Any]", node)]
        if not isinstance(node, dict):
            return node
        fields = cast("dict[str, Any]", node)
        reference = fields.get("$ref")
        if isinstance(reference, str):
            rest = {key: value for key, value in fields.items() if key not in ("$ref", "nullable")}
            whole = walk(definitions[reference.rsplit("/", 1)[-1]] | rest, names=False)
            return _or_null(whole) if "nullable" in fields else whole
        return {
            key: walk(value, names=key == "properties" and not names)
            for key, value in fields.items()
            if names or (key != "$defs" and (key != "title" or not isinstance(value, str)))
        }

    return walk(schema, names=False)


def without_notes(schema: Any) -> Any:
    """A schema for results, which no model fills in: what they hold, without descriptions and defaults, and
    without lists of codes and of required names, which each tool would repeat: our results have all fields.
    """
    if isinstance(schema, list):
        return [without_notes(item) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    fields = cast("dict[str, Any]", schema)
    return {
        key: {name: without_notes(each) for name, each in value.items()}
        if key == "properties"
        else without_notes(value)
        for key, value in fields.items()
        if key not in ("description", "default", "additionalProperties", "required")
        and not (key == "enum" and len(value) > MOST_WORDS)
        and not (key == "type" and "const" in fields)
    }

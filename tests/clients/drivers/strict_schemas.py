"""Schemas as hosts convert them: reads `{tool: schema}` as JSON on stdin, writes `{host: {tool: schema}}`."""

import copy
import json
import sys

from agents.strict_schema import ensure_strict_json_schema
from pydantic_ai.profiles.google import GoogleJsonSchemaTransformer
from pydantic_ai.profiles.openai import OpenAIJsonSchemaTransformer

HOSTS = {
    "OpenAI Agents": ensure_strict_json_schema,
    "Pydantic AI for OpenAI": lambda schema: OpenAIJsonSchemaTransformer(schema, strict=True).walk(),
    "Pydantic AI for Gemini": lambda schema: GoogleJsonSchemaTransformer(schema).walk(),
}

tools = json.load(sys.stdin)
converted = {
    host: {name: convert(copy.deepcopy(schema)) for name, schema in tools.items()}
    for host, convert in HOSTS.items()
}
print(json.dumps(converted))

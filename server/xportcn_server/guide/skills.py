"""The Skills extension (SEP-2640): one skill, by `skills/list` and `skills/get`, and as a resource."""

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from typing import Any

from mcp.server import MCPServer
from mcp.server.context import ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver.resources import TextResource
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CacheableResult, PaginatedRequestParams, RequestParams

SKILL_URI = "skill://order-on-1688/SKILL.md"
_HOUR_MS = 3_600_000  # the text changes only with the program


class ListSkillsResult(CacheableResult):
    """All skills, on one page."""

    result_type: str = "complete"
    skills: list[dict[str, Any]]


class GetSkillParams(RequestParams):
    """`uri`: of a skill's `SKILL.md`."""

    uri: str


class GetSkillResult(CacheableResult):
    """One skill."""

    result_type: str = "complete"
    skill: dict[str, Any]


@cache
def _skill() -> tuple[dict[str, Any], str]:
    """The entry of the one skill, and its text."""
    from xportcn_prompts import load_skill  # noqa: PLC0415 - a handshake needs the extension's name alone

    front, text = load_skill()
    raw = text.encode()
    file = {"uri": SKILL_URI, "digest": f"sha256:{sha256(raw).hexdigest()}", "size": len(raw)}
    return {"uri": SKILL_URI, "frontmatter": front, "resources": [file]}, text


async def _list(ctx: ServerRequestContext[Any, Any], params: PaginatedRequestParams) -> ListSkillsResult:
    del ctx, params
    return ListSkillsResult(skills=[_skill()[0]], ttl_ms=_HOUR_MS, cache_scope="public")


async def _get(ctx: ServerRequestContext[Any, Any], params: GetSkillParams) -> GetSkillResult:
    del ctx
    if params.uri != SKILL_URI:
        raise MCPError(INVALID_PARAMS, f"There is no such skill; there is: {SKILL_URI}")
    return GetSkillResult(skill=_skill()[0], ttl_ms=_HOUR_MS, cache_scope="public")


class Skills(Extension):
    """What `MCPServer(extensions=…)` takes."""

    identifier = "io.modelcontextprotocol/skills"

    def methods(self) -> Sequence[MethodBinding]:
        """Both requests."""
        return [
            MethodBinding("skills/list", PaginatedRequestParams, _list),
            MethodBinding("skills/get", GetSkillParams, _get),
        ]


def add_skill(server: MCPServer[Any]) -> None:
    """Register the file as a resource."""
    entry, text = _skill()
    name, description = entry["frontmatter"]["name"], entry["frontmatter"]["description"]
    server.add_resource(
        TextResource(uri=SKILL_URI, name=name, description=description, mime_type="text/markdown", text=text)
    )

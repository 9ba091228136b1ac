"""The Skills extension (SEP-2640): one skill, as a resource and by `skills/list` and `skills/get`."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.extension import Extension, MethodBinding, ResourceBinding
from mcp.server.mcpserver.resources import TextResource
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CacheableResult, PaginatedRequestParams, RequestParams

from xportcn_prompts import load_skill

_FRONT, _TEXT = load_skill()
SKILL_URI = f"skill://{_FRONT['name']}/SKILL.md"
SKILL: dict[str, Any] = {
    "uri": SKILL_URI,
    "frontmatter": _FRONT,
    "resources": [
        {
            "uri": SKILL_URI,
            "digest": f"sha256:{sha256(_TEXT.encode()).hexdigest()}",
            "size": len(_TEXT.encode()),
        }
    ],
}
"""The entry of the one skill that is served."""

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


async def _list(ctx: ServerRequestContext[Any, Any], params: PaginatedRequestParams) -> ListSkillsResult:
    del ctx, params
    return ListSkillsResult(skills=[SKILL], ttl_ms=_HOUR_MS, cache_scope="public")


async def _get(ctx: ServerRequestContext[Any, Any], params: GetSkillParams) -> GetSkillResult:
    del ctx
    if params.uri != SKILL_URI:
        raise MCPError(INVALID_PARAMS, f"There is no such skill; there is: {SKILL_URI}")
    return GetSkillResult(skill=SKILL, ttl_ms=_HOUR_MS, cache_scope="public")


class Skills(Extension):
    """What `MCPServer(extensions=…)` takes."""

    identifier = "io.modelcontextprotocol/skills"

    def resources(self) -> Sequence[ResourceBinding]:
        """The file itself."""
        name, description = _FRONT["name"], _FRONT["description"]
        file = TextResource(
            uri=SKILL_URI, name=name, description=description, mime_type="text/markdown", text=_TEXT
        )
        return [ResourceBinding(file)]

    def methods(self) -> Sequence[MethodBinding]:
        """Both requests."""
        return [
            MethodBinding("skills/list", PaginatedRequestParams, _list),
            MethodBinding("skills/get", GetSkillParams, _get),
        ]

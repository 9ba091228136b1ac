"""The agent skill: as a file, and as a server serves it (SEP-2640)."""

import re
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
import yaml
from mcp import Client, MCPError
from mcp_types import CacheableResult, PaginatedRequestParams, Request, RequestParams, TextResourceContents
from pydantic import ConfigDict

from harness.house import ERAS, Era, House
from harness.over_http import client_of, serving
from harness.settings import settings_for
from xportcn_prompts import load_prompt
from xportcn_server.app import Seams, ledger_of
from xportcn_server.sandbox.service import build_sandbox

pytestmark = pytest.mark.anyio

FILE = Path(__file__).parents[2] / "skills" / "order-on-1688" / "SKILL.md"
EXTENSION = "io.modelcontextprotocol/skills"
URI = "skill://order-on-1688/SKILL.md"


class ListSkills(Request[PaginatedRequestParams, Literal["skills/list"]]):
    method: Literal["skills/list"] = "skills/list"
    params: PaginatedRequestParams = PaginatedRequestParams()


class OfSkill(RequestParams):
    uri: str


class GetSkill(Request[OfSkill, Literal["skills/get"]]):
    method: Literal["skills/get"] = "skills/get"
    params: OfSkill


class Answer(CacheableResult):
    model_config = ConfigDict(extra="allow")


async def skills(client: Client, request: Request[Any, Any]) -> dict[str, Any]:
    return (await client.session.send_request(request, Answer)).model_extra or {}


def test_its_front_matter_is_what_the_format_of_agent_skills_wants() -> None:
    begin, head, body = FILE.read_text("utf-8").split("---\n", 2)
    front: dict[str, str] = yaml.safe_load(head)
    assert begin == ""
    assert set(front) == {"name", "description", "compatibility"}
    assert front["name"] == FILE.parent.name
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", front["name"])
    assert 1 <= len(front["name"]) <= 64
    assert 1 <= len(front["description"]) <= 1024
    assert 1 <= len(front["compatibility"]) <= 500
    assert "$" not in body
    assert len(body.splitlines()) < 500


@pytest.mark.parametrize("name", ["place_order", "reorder", "resolve_unknown"])
def test_each_step_of_a_prompt_is_in_it_word_for_word(name: str) -> None:
    skill = FILE.read_text("utf-8")
    steps = re.findall(r"^[0-9]\. .*(?:\n   .*)*", load_prompt(name).text, re.MULTILINE)
    assert len(steps) >= 5
    for step in steps:
        for piece in re.split(r"\$\w+", step.removeprefix("1. $address")):
            assert piece in skill


@pytest.mark.parametrize("era", ERAS)
async def test_the_server_lists_the_skill_with_size_and_digest_of_the_file(tmp_path: Path, era: Era) -> None:
    async with House(tmp_path).client(era) as client:
        declared = client.server_capabilities.extensions or {}  # the older protocol has no such field
        assert declared.get(EXTENSION) == (None if era == "legacy" else {})
        (listed,) = (await skills(client, ListSkills()))["skills"]
        assert (await skills(client, GetSkill(params=OfSkill(uri=URI))))["skill"] == listed
        (read,) = (await client.read_resource(URI)).contents
        found = next(each for each in (await client.list_resources()).resources if each.uri == URI)
    assert isinstance(read, TextResourceContents)
    assert read.mime_type == "text/markdown"
    assert read.text == FILE.read_text("utf-8")
    raw = read.text.encode()
    assert listed["resources"] == [
        {"uri": URI, "size": len(raw), "digest": f"sha256:{sha256(raw).hexdigest()}"}
    ]
    assert listed["uri"] == URI
    assert listed["frontmatter"] == yaml.safe_load(read.text.split("---\n")[1])
    assert (found.name, found.description) == (
        listed["frontmatter"]["name"],
        listed["frontmatter"]["description"],
    )


async def test_the_list_may_be_kept_by_anybody_and_says_that_it_is_complete(tmp_path: Path) -> None:
    async with House(tmp_path).client("auto") as client:
        answer = await client.session.send_request(ListSkills(), Answer)
    assert (answer.cache_scope, answer.ttl_ms > 0) == ("public", True)
    assert (answer.model_extra or {})["resultType"] == "complete"


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("uri", ["skill://order-on-1688", "skill://other/SKILL.md", "orders://recent"])
async def test_another_skill_does_not_exist(tmp_path: Path, era: Era, uri: str) -> None:
    async with House(tmp_path).client(era) as client:
        with pytest.raises(MCPError) as caught:
            await skills(client, GetSkill(params=OfSkill(uri=uri)))
    assert caught.value.code == -32602
    assert URI in str(caught.value)


@pytest.mark.parametrize("era", ERAS)
async def test_the_skill_is_listed_over_http_too(tmp_path: Path, era: Era) -> None:
    settings = settings_for(tmp_path / "ledger.sqlite3")
    with anyio.fail_after(60):
        async with (
            serving(settings, Seams(sandbox=build_sandbox()), ledger_of(settings)) as url,
            client_of(url, era=era) as client,
        ):
            (listed,) = (await skills(client, ListSkills()))["skills"]
            (read,) = (await client.read_resource(listed["uri"])).contents
    assert isinstance(read, TextResourceContents)
    assert len(read.text.encode()) == listed["resources"][0]["size"]

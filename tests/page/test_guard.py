"""Who the page answers: the person whom it was opened for, from the page itself, and nobody else."""

import re
import stat
import sys
from datetime import timedelta
from pathlib import Path

import anyio
import httpx
import pytest

from harness.clock import Clock
from harness.house import House, previewed
from harness.page_visit import visited
from xportcn_server.page.guard import FORMS_PER_MINUTE, MOST_BODY_BYTES
from xportcn_server.page.opening import Doorway
from xportcn_tools.ledger.approvals import Visitor

pytestmark = pytest.mark.anyio


def house_at(folder: Path) -> House:
    return House(folder, APPROVAL="require")


async def test_without_the_secret_nothing_is_shown_and_nothing_done(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    house = house_at(tmp_path)
    async with house.client() as client, visited(house) as visit:
        preview = await previewed(client)
        (yes,) = await visit.forms("/yes")
        visit.http.cookies.clear()
        for path in ("/", "/fresh"):
            answer = await visit.http.get(path)
            assert answer.status_code == 401
            assert preview["out_order_id"] not in answer.text
        assert (await visit.send("/yes", yes)).status_code == 403
        assert (await visit.http.get("/enter/" + "a" * 32)).status_code == 403
    assert await house.events() == []
    assert "its sender is not signed in" in caplog.text
    assert "a sign-in code was refused" in caplog.text
    assert "page: /fresh was not shown: its visitor is not signed in" in caplog.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1"}, 421),
    ],
)
async def test_a_form_from_another_origin_or_for_another_host_is_refused_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, headers: dict[str, str], status: int
) -> None:
    house = house_at(tmp_path)
    async with house.client() as client, visited(house) as visit:
        await previewed(client)
        (yes,) = await visit.forms("/yes")
        assert (await visit.send("/yes", yes, **headers)).status_code == status
        assert len(await visit.forms("/yes")) == 1
    assert await house.events() == []
    assert "page: a request was refused" in caplog.text


async def test_a_name_that_leads_to_loopback_reads_nothing(tmp_path: Path) -> None:
    async with visited(house_at(tmp_path)) as visit:
        answer = await visit.http.get(
            "/", headers={"host": visit.url.replace("http://127.0.0.1", "rebound.example")}
        )
        assert answer.status_code == 421


async def test_another_persons_form_is_refused(tmp_path: Path) -> None:
    house = house_at(tmp_path)
    async with house.client() as client, visited(house) as visit:
        await previewed(client)
        (others,) = await visit.forms("/yes")
        await visit.sign_in()
        assert (await visit.send("/yes", others)).status_code == 403
        (no,) = await visit.forms("/no")
        assert (await visit.send("/yes", no)).status_code == 403, "the token of one action is no other's"
        for token in (
            "",
            "x",
            "1.x.y",
            others["token"][:-1] + "0",
            "\ud800".encode("utf-8", "surrogatepass"),
        ):
            assert (await visit.send("/yes", others | {"token": token})).status_code == 403
    assert await house.events() == []


async def test_a_code_works_once_and_for_ten_minutes(tmp_path: Path) -> None:
    clock = Clock()
    async with visited(house_at(tmp_path), clock, signed_in=False) as visit:
        code = await visit.site.sessions.new_code(Visitor(None))
        late = await visit.site.sessions.new_code(Visitor(None))
        assert len(code) == 32, "192 bits"
        assert (await visit.http.get(f"/enter/{code}")).status_code == 200
        assert (await visit.http.get(f"/enter/{code}")).status_code == 303, "the person is in already"
        visit.http.cookies.clear()
        assert (await visit.http.get(f"/enter/{code}")).status_code == 403
        clock.advance(timedelta(minutes=10).total_seconds())
        assert (await visit.http.get(f"/enter/{late}")).status_code == 403


async def test_a_link_signs_nobody_in_as_a_caller(tmp_path: Path) -> None:
    """A caller that sends its own code as a link would have others answer its previews."""
    async with visited(house_at(tmp_path), signed_in=False) as visit:
        code = await visit.site.sessions.new_code(Visitor("caller:mallory"))
        answer = await visit.http.get(f"/enter/{code}")
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        assert (await visit.send("/enter", {"code": code})).status_code == 403, "it is spent"


async def test_a_session_ends_after_half_a_day(tmp_path: Path) -> None:
    clock = Clock()
    async with visited(house_at(tmp_path), clock) as visit:
        clock.advance(timedelta(hours=12).total_seconds() - 1)
        await visit.text()
        clock.advance(1)
        assert (await visit.http.get("/")).status_code == 401


async def test_every_answer_forbids_frames_scripts_of_others_and_a_memory(tmp_path: Path) -> None:
    async with visited(house_at(tmp_path), signed_in=False) as visit:
        entered = await visit.sign_in()
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        for answer in (entered, await visit.http.get("/"), await visit.http.get("/nothing")):
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["cache-control"] == "no-store"
        page = await visit.text()
    assert not re.search(r"<script(?! src=)|\son[a-z]+=|\sstyle=|<style", page), (
        "nothing that the policy would stop"
    )


async def test_a_caller_sees_and_answers_its_own_previews_alone(tmp_path: Path) -> None:
    house = house_at(tmp_path)
    async with house.client() as client, visited(house, signed_in=False) as visit:
        preview = await previewed(client)
        await visit.sign_in()
        (yes,) = await visit.forms("/yes")
        await visit.sign_in(Visitor("caller:alice"))
        assert preview["out_order_id"] not in await visit.text()
        assert (await visit.send("/yes", yes)).status_code == 403
    assert await house.events() == []


async def test_too_many_forms_and_too_large_ones_are_refused(tmp_path: Path) -> None:
    async with visited(house_at(tmp_path), Clock()) as visit:
        assert (await visit.send("/yes", {"code": "x" * MOST_BODY_BYTES})).status_code == 413
        answers = [await visit.send("/enter", {"code": f"{n}"}) for n in range(FORMS_PER_MINUTE + 1)]
        assert [answer.status_code for answer in answers][-1] == 429
        assert answers[0].status_code == 303, "somebody who is in stays in"


async def test_behind_a_proxy_one_persons_forms_and_a_strangers_codes_leave_the_others_theirs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def statuses(http: httpx.AsyncClient, url: str) -> set[int]:
        origin = {"origin": url}
        asked = [
            await http.post("/enter", data={"code": f"{n}"}, headers=origin)
            for n in range(FORMS_PER_MINUTE + 1)
        ]
        return {answer.status_code for answer in asked}

    async with (
        visited(house_at(tmp_path), Clock()) as visit,
        httpx.AsyncClient(base_url=visit.url, trust_env=False) as other,
    ):
        code = await visit.site.sessions.new_code(Visitor("caller:alice"))
        await other.post("/enter", data={"code": code}, headers={"origin": visit.url})
        async with httpx.AsyncClient(base_url=visit.url, trust_env=False) as stranger:
            assert await statuses(stranger, visit.url) == {403, 429}
            forged = {name: f"{value}x" for name, value in visit.http.cookies.items()}
            stranger.cookies.update(forged)
            again = await stranger.post("/enter", data={"code": "1"}, headers={"origin": visit.url})
            assert again.status_code == 429, "a cookie that is not ours has no limit of its own"
        assert await statuses(visit.http, visit.url) == {303, 429}
        answer = await other.post("/enter", data={"code": "1"}, headers={"origin": visit.url})
        assert answer.status_code == 303
    assert "too many requests in a minute" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files are POSIX")
async def test_the_file_that_leads_to_the_page_is_the_owners_alone_and_goes_with_it(tmp_path: Path) -> None:
    house = house_at(tmp_path)
    async with visited(house, signed_in=False) as visit:
        opened: list[str] = []

        def browse(address: str) -> bool:
            opened.append(address)
            return True

        doorway = Doorway(visit.site, tmp_path / "data", visit.url, browse)
        assert await doorway.open()
        (address,) = opened
        file = anyio.Path(httpx.URL(address).path)
        assert stat.S_IMODE((await file.stat()).st_mode) == 0o600
        (url,) = set(re.findall(rf"{visit.url}/enter/[\w-]+", await file.read_text()))
        code = url.rpartition("/")[2]
        assert code not in address
        for part in (house.ledger, f"{house.ledger}-wal"):
            assert code.encode() not in await anyio.Path(part).read_bytes()
        assert (await visit.http.get(url)).status_code == 200
        doorway.close()
        assert not await file.exists()

"""Pictures of goods come through our own process, from one host, bounded, and only if they are pictures."""

import ssl
from pathlib import Path

import anyio
import httpx
import pytest

from harness.house import House
from harness.page_visit import visited
from xportcn_server.page import picture_fetch
from xportcn_server.page.picture_fetch import PictureError, Pictures, is_shown, kind_of
from xportcn_server.sandbox.pictures import picture, picture_address

pytestmark = pytest.mark.anyio

ADDRESS = "https://cbu01.alicdn.com/img/ibank/O1CN01.jpg"
PNG = picture(picture_address(610947572360))
JPEG, WEBP = b"\xff\xd8\xff\xe0rest", b"RIFF\x00\x00\x00\x00WEBPVP8 "


class Host(httpx.AsyncBaseTransport):
    """The pictures' host; notes what it was asked."""

    def __init__(self, content: bytes = PNG, status: int = 200, location: str = "") -> None:
        self.content, self.status, self.location = content, status, location
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        headers = {"location": self.location} if self.location else {}
        return httpx.Response(self.status, headers=headers, content=self.content)


def over(host: httpx.AsyncBaseTransport, *places: str) -> Pictures:
    async def resolve(name: str) -> list[str]:
        assert name.endswith(".alicdn.com")
        return list(places) or ["47.246.50.1"]

    return Pictures(lambda: host, resolve)


@pytest.mark.parametrize(
    ("content", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")]
)
async def test_a_picture_is_what_its_content_says_and_is_asked_for_at_the_address_that_was_looked_at(
    content: bytes, kind: str
) -> None:
    host = Host(content)
    found = await over(host).get(ADDRESS)
    assert (found.content, found.media_type) == (content, kind)
    (asked,) = host.asked
    assert str(asked.url) == "https://47.246.50.1/img/ibank/O1CN01.jpg"
    assert asked.headers["host"] == asked.extensions["sni_hostname"] == "cbu01.alicdn.com"
    assert "cookie" not in asked.headers


@pytest.mark.parametrize(
    "address",
    [
        "http://cbu01.alicdn.com/a.jpg",
        "https://alicdn.com/a.jpg",
        "https://evil-alicdn.com/a.jpg",
        "https://cbu01.alicdn.com.evil.example/a.jpg",
        "https://cbu01.alicdn.com:8443/a.jpg",
        "https://user@cbu01.alicdn.com/a.jpg",
        "https://evil.example/https://cbu01.alicdn.com/a.jpg",
        "https://cbu01.alicdn.com/a b.jpg",
        "https://cbu01.alicdn.com/\n",
        "file:///etc/passwd",
        "//cbu01.alicdn.com/a.jpg",
        "",
    ],
)
async def test_no_other_address_is_asked_for(address: str) -> None:
    host = Host()
    assert not is_shown(address)
    with pytest.raises(PictureError):
        await over(host).get(address)
    assert host.asked == []


@pytest.mark.parametrize(
    "place",
    [
        "127.0.0.1",
        "10.0.0.7",
        "192.168.1.1",
        "169.254.169.254",
        "::1",
        "fe80::1",
        "fd00::1",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - not bound to, but refused
        "224.0.0.251",
        "239.255.255.250",
        "255.255.255.255",
        "240.0.0.1",
        "ff02::1",
        "ff0e::1",
        "::ffff:10.0.0.7",
        "::ffff:47.246.50.1",
        "::47.246.50.1",
        "2002:0a00:0007::1",  # 6to4
        "2002:2ff6:3201::1",
        "64:ff9b::a00:7",  # NAT64
        "64:ff9b::2ff6:3201",
        "64:ff9b:1::a00:7",
        "2001:0:4136:e378:8000:63bf:f5ff:fff8",  # Teredo
        "2001:db8::1",
        "2408:4001:f10::5efe:a00:7",  # ISATAP
        "fec0::1",
        "fe80::1%eth0",
    ],
)
async def test_a_host_that_leads_into_a_private_network_is_not_asked(place: str) -> None:
    host = Host()
    with pytest.raises(PictureError, match="private network"):
        await over(host, "47.246.50.1", place).get(ADDRESS)
    assert host.asked == []


@pytest.mark.parametrize("place", ["47.246.50.1", "2408:4001:f10::6f", "2400:3200::1"])
async def test_a_host_on_the_public_network_is_asked(place: str) -> None:
    host = Host()
    assert (await over(host, place).get(ADDRESS)).content == PNG
    assert str(host.asked[0].url.host) == place


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        (Host(b"<html>"), "no PNG, JPEG or WebP"),
        (Host(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "no PNG, JPEG or WebP"),
        (Host(b"GIF89a"), "no PNG, JPEG or WebP"),
        (Host(b""), "no PNG, JPEG or WebP"),
        (Host(PNG + bytes(picture_fetch.MOST_BYTES)), "too large"),
        (Host(status=404), "answered with 404"),
        (Host(status=302, location="https://127.0.0.1/a.png"), "answered with 302"),
    ],
)
async def test_what_is_no_picture_or_leads_elsewhere_is_refused(host: Host, reason: str) -> None:
    with pytest.raises(PictureError, match=reason):
        await over(host).get(ADDRESS)
    assert len(host.asked) == 1, "no redirect is followed"


async def test_a_host_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_fetch, "SECONDS", 0.05)

    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await anyio.Event().wait()
            raise AssertionError

    with anyio.fail_after(10), pytest.raises(PictureError, match="in time"):
        await over(Silent()).get(ADDRESS)


async def test_a_broken_connection_is_a_picture_that_is_not_shown() -> None:
    class Broken(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("certificate") from ssl.SSLError()

    with pytest.raises(PictureError, match="ConnectError"):
        await over(Broken()).get(ADDRESS)


async def test_the_page_gives_pictures_to_those_who_are_signed_in_and_none_where_they_are_off(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    address = picture_address(610947572360)
    async with visited(house) as visit:
        found = await visit.http.get("/picture", params={"of": address})
        assert (found.status_code, found.headers["content-type"], found.content) == (200, "image/png", PNG)
        assert (await visit.http.get("/picture", params={"of": ADDRESS})).status_code == 404
        visit.http.cookies.clear()
        assert (await visit.http.get("/picture", params={"of": address})).status_code == 404
    async with visited(house, changes={"PICTURES": "off"}) as visit:
        assert (await visit.http.get("/picture", params={"of": address})).status_code == 404


def test_a_beginning_alone_makes_no_picture() -> None:
    assert kind_of(b"\x89PNG") is None
    assert kind_of(b"RIFF....WAVE") is None

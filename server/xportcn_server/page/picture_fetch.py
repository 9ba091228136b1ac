"""Pictures of goods, through this process: the browser asks only the page.

Only from `*.alicdn.com` over https, never from an address of a private network, without redirects, cookies or
proxies, in a few seconds, up to a size, and only what is a PNG, JPEG or WebP by its content. In the sandbox
they are drawn, and nothing is fetched.
"""

import logging
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger(__name__)

MOST_BYTES = 2 * 1024 * 1024
SECONDS = 8.0
AT_A_TIME = 4

_ADDRESS = re.compile(r"https://(?P<host>(?:[a-z0-9-]+\.)+alicdn\.com)(?P<path>/[!-~]{1,1000})")
_BEGINNINGS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))

_UNICAST_V6 = IPv6Network("2000::/3")
"""What is outside is local, or carries another address: NAT64, mapped, multicast."""

_ISATAP = (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe")

Resolve = Callable[[str], Awaitable[list[str]]]


class PictureError(Exception):
    """Why there is no picture; holds nothing of others."""


@dataclass(frozen=True)
class PictureFile:
    """The bytes of a picture, and what they are."""

    content: bytes
    media_type: str


def kind_of(content: bytes) -> str | None:
    """The media type of a picture, by its first bytes."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for beginning, kind in _BEGINNINGS if content.startswith(beginning)), None)


def is_shown(address: str | None) -> bool:
    """Whether a picture at this address may be asked for."""
    return bool(address and _ADDRESS.fullmatch(address))


def is_public(address: str) -> bool:
    """Whether this is an address of the public network itself: no tunnel's, whose other end may be anywhere.

    Raises:
        ValueError: it is no address.
    """
    place = ip_address(address)
    if isinstance(place, IPv4Address):
        return place.is_global and not place.is_multicast
    tunnelled = place.sixtofour or place.teredo or place.packed[8:12] in _ISATAP
    return place.is_global and place in _UNICAST_V6 and not tunnelled


async def addresses_of(host: str) -> list[str]:
    """The host's IP addresses."""
    found = await anyio.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    return [str(place[4][0]) for place in found]


class Pictures:
    """Fetches, in a real mode. `new_transport`, `resolve`: for tests."""

    def __init__(
        self,
        new_transport: "Callable[[], httpx.AsyncBaseTransport] | None" = None,
        resolve: Resolve = addresses_of,
    ) -> None:
        self._new_transport = new_transport
        self._resolve = resolve
        self._turns = anyio.Semaphore(AT_A_TIME)

    async def get(self, address: str) -> PictureFile:
        """One picture.

        Raises:
            PictureError: it may not be asked for, did not come in time, or is not a picture.
        """
        named = _ADDRESS.fullmatch(address)
        if named is None:
            raise PictureError("its address is not one of alicdn.com")
        async with self._turns:
            with anyio.move_on_after(SECONDS):
                return await self._fetched(named["host"], named["path"])
        raise PictureError("it did not come in time")

    async def _fetched(self, host: str, path: str) -> PictureFile:
        import httpx  # noqa: PLC0415 - loaded with the first picture

        try:
            places = await self._resolve(host)
            if not places or not all(map(is_public, places)):
                raise PictureError("its host leads into a private network")
            # To the address that was looked at, whatever the name leads to a moment later.
            at = f"[{places[0]}]" if ":" in places[0] else places[0]
            transport = self._new_transport() if self._new_transport else None
            async with (
                httpx.AsyncClient(transport=transport, trust_env=False, timeout=SECONDS) as client,
                client.stream(
                    "GET",
                    f"https://{at}{path}",
                    headers={"host": host, "accept": "image/png, image/jpeg, image/webp"},
                    extensions={"sni_hostname": host},
                ) as answer,
            ):
                if answer.status_code != 200:
                    raise PictureError(f"its host answered with {answer.status_code}")
                content = bytearray()
                async for part in answer.aiter_bytes():
                    content += part
                    if len(content) > MOST_BYTES:
                        raise PictureError("it is too large")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise PictureError(f"it could not be fetched ({type(error).__name__})") from error
        kind = kind_of(bytes(content))
        if kind is None:
            raise PictureError("it is no PNG, JPEG or WebP")
        return PictureFile(bytes(content), kind)


class DrawnPictures:
    """The sandbox's own."""

    async def get(self, address: str) -> PictureFile:
        from xportcn_server.sandbox.pictures import picture  # noqa: PLC0415 - in the sandbox alone

        try:
            return PictureFile(picture(address), "image/png")
        except LookupError as error:
            raise PictureError("the sandbox has none at this address") from error

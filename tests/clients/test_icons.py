"""The icons of the server and its tools: small, whole, and nothing in them that acts."""

from base64 import b64decode
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from mcp_types import Icon

from harness.house import ERAS, Era, House

pytestmark = pytest.mark.anyio

DRAWN = {"svg", "rect", "path"}


def svg_of(icons: list[Icon] | None) -> bytes:
    """The one icon of a thing, as the picture that it is."""
    assert icons
    (icon,) = icons
    assert (icon.mime_type, icon.sizes) == ("image/svg+xml", ["any"])
    beginning, _, data = icon.src.partition(",")
    assert beginning == "data:image/svg+xml;base64"
    return b64decode(data, validate=True)


@pytest.mark.parametrize("era", ERAS)
async def test_the_server_and_each_tool_have_an_icon_of_their_own(tmp_path: Path, era: Era) -> None:
    async with House(tmp_path).client(era) as client:
        assert client.server_info
        icons = [svg_of(client.server_info.icons)]
        icons += [svg_of(tool.icons) for tool in (await client.list_tools()).tools]
    assert len(set(icons)) == 6
    for svg in icons:
        assert len(svg) <= 250
        tree = ET.fromstring(svg)  # noqa: S314 - our own
        assert {element.tag.removeprefix("{http://www.w3.org/2000/svg}") for element in tree.iter()} == DRAWN
        names = {name for element in tree.iter() for name in element.attrib}
        assert not {name for name in names if name.startswith("on") or "href" in name}

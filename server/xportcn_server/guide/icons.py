"""The icons that clients may show for the server and each tool: white drawings on a green tile, as data URIs.

Each is under 250 bytes of SVG, because `tools/list` carries it to every client.
"""

from base64 import b64encode
from importlib.resources import files

from mcp_types import Icon

_TILE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" '
    'fill="#0b6b3a"/><path d="{path}" fill="none" stroke="#fff" stroke-width="3"/></svg>'
)
_DRAWINGS = {
    "search_products": "M14 7a7 7 0 1 0 .1 0M19 19l7 7",  # a magnifying glass
    "get_product": "M7 11l9-5 9 5v10l-9 5-9-5zM7 11l9 5 9-5M16 16v10",  # a parcel
    "preview_order": "M8 5h16v22l-4-3-4 3-4-3-4 3zM12 11h8M12 17h8",  # a bill
    "create_order": "M4 7h4l4 13h12l3-9H9M13 26h1M22 26h1",  # a shopping cart
    "get_orders": "M7 9h2M13 9h12M7 16h2M13 16h12M7 23h2M13 23h12",  # a list
}


def tool_icon(tool: str) -> Icon:
    """The icon of the tool of this name."""
    return _icon(_TILE.format(path=_DRAWINGS[tool]).encode())


def server_icon() -> Icon:
    """The page's own icon."""
    return _icon(files("xportcn_server.page").joinpath("static", "icon.svg").read_bytes())


def _icon(svg: bytes) -> Icon:
    source = f"data:image/svg+xml;base64,{b64encode(svg).decode()}"
    return Icon(src=source, mime_type="image/svg+xml", sizes=["any"])

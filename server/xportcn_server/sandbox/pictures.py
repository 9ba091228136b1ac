"""The pictures of the sandbox's offers: drawings made here, no photographs.

Product answers hold addresses of the host that 1688's pictures come from. Nothing is fetched there:
`picture` draws what such an address names.
"""

import re
import struct
import zlib
from hashlib import md5

PICTURE_PATH = "/img/ibank/"

_HOST = "https://cbu01.alicdn.com"
_NAME = re.compile(r"(?:https://cbu01\.alicdn\.com)?/img/ibank/sandbox-(\d{1,19})-([0-9a-f]{6})\.png")
_PIXELS = 96

# Of two names that both are in a value, the first counts: 酒红 stands before 红.
_COLOURS = (
    "酒红 7b1e3a  粉红 f2a0b5  橘红 f0552b  黑红 4a1218  红 d0342c  墨绿 1f4d3a  藏青 1f2f5c  深蓝 22407a  "
    "浅蓝 8fb8e0  蓝 2f6fd0  白 f4f1ea  黑 26262a  浅灰 c9c9cc  深灰 5c5c60  灰 8d8d92  金 d4a93a  "
    "银 c3c7cc  黄 f1c933  绿 3f9a4d  紫 7a4fa3  卡其 b09a6b  驼 b98a52  米 e8dcc0  香槟 ead7b0"
)


def picture_address(offer_id: int, value: str = "") -> str:
    """The address of the drawing of an offer, in the colour that an option's value names."""
    named = re.findall(r"(\w+) (\w{6})", _COLOURS)
    colour = next((code for name, code in named if name in value), None)
    return f"{_HOST}{PICTURE_PATH}sandbox-{offer_id}-{colour or _digest(offer_id)[:6]}.png"


def picture(address: str) -> bytes:
    """The PNG of one of our addresses, or of its path. Raises LookupError for any other."""
    named = _NAME.fullmatch(address)
    if not named:
        raise LookupError(f"the sandbox has no picture at {address!r}")
    offer_id, colour = named.groups()
    figure = int(_digest(int(offer_id))[6:8], 16)
    sides = [abs(2 * place / (_PIXELS - 1) - 1) for place in range(_PIXELS)]
    rows = (bytes(_inside(figure, x, y) for x in sides) for y in sides)
    header = struct.pack(">IIBBBBB", _PIXELS, _PIXELS, 8, 3, 0, 0, 0)  # 8 bits a pixel, of a palette
    palette = bytes.fromhex("e3e6ea" + colour)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _inside(figure: int, x: float, y: float) -> bool:
    """Whether a point belongs to the figure, by its distance from the middle; 1 is the edge."""
    match figure % 5:
        case 0:
            return x * x + y * y < 0.6
        case 1:
            return 0.2 < x * x + y * y < 0.7
        case 2:
            return max(x, y) < 0.7
        case 3:
            return x + y < 0.9
        case _:
            return min(x, y) < 0.25 and max(x, y) < 0.8


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def _digest(offer_id: int) -> str:
    return md5(str(offer_id).encode(), usedforsecurity=False).hexdigest()

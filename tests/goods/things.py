"""Products for the tests of the pure rules, and answers as they come."""

import json
from pathlib import Path
from typing import Any

from xportcn_tools.goods.product import OptionValue, Product, ProductOption
from xportcn_tools.upstream.envelope import read_envelope
from xportcn_tools.upstream.outcome import Reply

ANSWERS = Path(__file__).parent / "answers"
COLOUR, SIZE = ("颜色", "Color"), ("尺码", "Size")


def product(
    *rows: tuple[str, ...], names: tuple[tuple[str, str], ...] = (COLOUR, SIZE), **fields: Any
) -> Product:
    """A product whose options have these values; `红色=Red` has a translation."""
    options = tuple(
        ProductOption(
            spec_id=f"{number:032x}",
            sku_id=None,
            values=tuple(value_of(name, text) for name, text in zip(names, row, strict=False)),
        )
        for number, row in enumerate(rows, 1)
    )
    return Product("700000000303", "纯棉短袖T恤", options=options, **fields)


def value_of(name: tuple[str, str], text: str) -> OptionValue:
    value, _, translated = text.partition("=")
    return OptionValue(name[0], value, name[1], translated or None)


def example(name: str) -> Any:
    """An answer made up in the upstream's shapes; some files hold several."""
    return json.loads((ANSWERS / f"{name}.json").read_text("utf-8"))


def reply(body: Any, status: int = 200) -> Reply:
    return Reply(status, read_envelope(json.dumps(body, ensure_ascii=False).encode()))


def answered(data: Any, status: int = 200, **envelope: Any) -> Reply:
    return reply({"requestId": "req-1", "code": 200, "msg": "成功", "data": data} | envelope, status)

"""Plays a folder of `doctor --record` or `call --record` through the program's own readers."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from xportcn_tools.goods.product import NotRead
from xportcn_tools.goods.product_answer import read_product, read_search
from xportcn_tools.upstream.envelope import UnreadableAnswerError, read_envelope
from xportcn_tools.upstream.order_details import read_order
from xportcn_tools.upstream.order_list import list_in, rows_of
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.preview_answer import read_preview
from xportcn_tools.upstream.requests import PREVIEW_PATH


@dataclass(frozen=True)
class Played:
    """`read`: what the reader made of the answer; a text says why it made nothing."""

    file: str
    call: str
    request: dict[str, Any]
    reply: Reply | None
    read: object


def play(folder: Path) -> list[Played]:
    return list(_played(folder))


def _played(folder: Path) -> Iterator[Played]:
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text("utf-8"), parse_float=Decimal)
        call = "preview" if content["path"] == PREVIEW_PATH else content["call"]
        if content["http_status"] is None:
            yield Played(path.name, call, content["request"], None, "no answer")
            continue
        reply = _reply(content, path)
        yield Played(path.name, call, content["request"], reply, _read(call, content["request"], reply))


def _reply(content: dict[str, Any], path: Path) -> Reply:
    if "answer" not in content:
        return Reply(content["http_status"], None, content["not_json"]["why"])
    # As it stands in the file: what follows `"answer": `, whose figures must not pass through another writer.
    text = path.read_text("utf-8")
    raw = text[text.index('\n  "answer": ') + len('\n  "answer": ') : text.rindex("}")]
    return Reply(content["http_status"], read_envelope(raw.encode()))


def _read(call: str, request: dict[str, Any], reply: Reply) -> object:
    if reply.envelope is None or not reply.envelope.succeeded:
        return f"{reply.code}: {reply.text}"
    data = reply.envelope.data
    match call:
        case "search":
            read = read_search(reply)
        case "product":
            read = read_product(reply, str(request["offerId"]))
        case "order list":
            read = "no list" if list_in(data) is None else [read_order(row) for row in rows_of(data)]
        case "order details":
            read = read_order(data) or "no order"
        case "preview":
            try:
                read = read_preview(data)
            except UnreadableAnswerError as why:
                read = str(why)
        case _:
            read = "no reader for this path"
    return f"{read.reason}: {read.text}" if isinstance(read, NotRead) else read

"""`--record DIR`: answers as files, scrubbed, with a README beside them that says what is in them.

A folder is made new, and its disguises go by a random salt that is kept nowhere: two recordings have no id
in common.
"""

import re
import secrets
from collections.abc import Collection
from importlib import metadata
from pathlib import Path
from typing import Any

from xportcn_server.doctor.scrubbing import Scrubber, as_json
from xportcn_server.doctor.signed_call import Exchange
from xportcn_tools.upstream.clean import clean
from xportcn_tools.upstream.envelope import UnreadableAnswerError, parsed
from xportcn_tools.upstream.outcome import Reply

_TITLE = re.compile(rb"<title>(.{0,100}?)</title>", re.IGNORECASE | re.DOTALL)
_README = """# Answers of an Xportcn account

Recorded by xportcn-mcp {version}. A file for each call, in the order in which they were made: the path, what
was asked, the HTTP status and the answer. Of what is no JSON (a firewall's page, say) only the length and the
title are kept.

{table}

Kept as they came: sums, prices, counts, times, states, codes, and the texts of goods and refusals. All else
is another value of the same form: keys, ids, names, phones, addresses, links, and every text that is not
named here. The same value is the same other value in every file, so ids that belonged together still do, and
sums add up. It cannot be turned back.

Texts of refusals and of goods were written by others. Names and numbers that stand elsewhere in the answers
are replaced in them, too; still, look through the files before you give them away.

The folder can be attached to a bug report. The project plays it through its readers: copy it to
`tests/recorded/` and run `pytest tests/recorded`.
"""


class Recording:
    """The exchanges of one run; nothing is written before `keep_in`."""

    def __init__(self, hidden: Collection[str]) -> None:
        self._scrubber = Scrubber(hidden, secrets.token_bytes(32))
        self._exchanges: list[Exchange] = []

    def add(self, exchange: Exchange) -> None:
        self._exchanges.append(exchange)

    def keep_in(self, folder: Path) -> int:
        """Write a file for each exchange; how many.

        Raises:
            OSError: the folder is not new, or cannot be written.
        """
        folder.mkdir(parents=True)
        for exchange in self._exchanges:
            self._scrubbed(exchange)  # so that the texts of the first know what the last ones hold
        rows = ["| file | path | HTTP |", "|---|---|---|"]
        for number, exchange in enumerate(self._exchanges, 1):
            name = f"{number:02d}-{exchange.call.replace(' ', '-')}.json"
            content = self._scrubbed(exchange)
            (folder / name).write_text(as_json(content) + "\n", encoding="utf-8")
            rows.append(f"| {name} | {exchange.path} | {content['http_status'] or 'no answer'} |")
        readme = _README.format(version=metadata.version("xportcn-mcp"), table="\n".join(rows))
        (folder / "README.md").write_text(readme, encoding="utf-8")
        return len(self._exchanges)

    def _scrubbed(self, exchange: Exchange) -> dict[str, Any]:
        content: dict[str, Any] = {
            "call": exchange.call,
            "path": exchange.path,
            "request": self._scrubber.scrub(exchange.request, texts=False),
            "http_status": exchange.reply.status if exchange.reply else None,
        }
        return content | self._answer(exchange.reply) if exchange.reply else content

    def _answer(self, reply: Reply) -> dict[str, Any]:
        try:
            return {"answer": self._scrubber.scrub(parsed(reply.body))}
        except UnreadableAnswerError as why:
            title = _TITLE.search(reply.body)
            said = clean(title[1].decode(errors="replace")) if title else ""
            what = {"bytes": len(reply.body), "title": self._scrubber.free_of_people(said)}
            return {"not_json": {"why": reply.unreadable or str(why)} | what}

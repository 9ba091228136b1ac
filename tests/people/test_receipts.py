"""The receipt of an order, as Markdown and as a page to print; nothing in it acts on who reads it."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import anyio
import pytest
from click.testing import CliRunner, Result

from harness.clock import Clock
from harness.settings import environ_of
from ledger.suite.stores import PLACED, REJECTED, SHIP_TO, UNKNOWN, preview_of, settled
from xportcn_server.commands.cli import main
from xportcn_server.guide.printed_receipt import printed_receipt
from xportcn_tools.codes import MODE_WORDS
from xportcn_tools.ledger.ledger import OrderQuery, Outcome, Receipt
from xportcn_tools.ledger.sqlite import SqliteLedger

HOSTILE = '<script>alert(1)</script><img src=x> & "quoted"'


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        assert not {"src", "href", "onclick", "onload"} & {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def placed(path: Path, outcome: Outcome = PLACED) -> Receipt:
    async def work() -> Receipt:
        ledger = SqliteLedger(path, "sandbox", clock=Clock())
        await ledger.open()
        preview = preview_of(1)
        (group,) = preview.shown.groups
        line = replace(group.lines[0], title=f"瓷杯 {HOSTILE}", option="白色", product_no=HOSTILE)
        shown = replace(preview.shown, groups=(replace(group, lines=(line,)),))
        await settled(ledger, replace(preview, shown=shown), outcome)
        (found,) = await ledger.receipts(OrderQuery(None))
        await ledger.aclose()
        return found

    return anyio.run(work)


def shown(path: Path, form: str, reference: str = "PO-1") -> Result:
    words = ["orders", "show", reference, "--receipt", form]
    return CliRunner().invoke(main, words, env=environ_of(LEDGER=str(path)), catch_exceptions=False)


def test_the_page_has_all_of_the_order_in_the_owners_time_and_no_sellers_mark_up(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    found = placed(path)
    done = shown(path, "html")
    assert done.exit_code == 0
    text = done.stdout_bytes.decode()
    assert text == printed_receipt(found, MODE_WORDS["sandbox"], ZoneInfo("Asia/Shanghai"))
    tags = Tags()
    tags.feed(text)
    assert not tags.names & {"script", "img", "link", "a", "iframe"}
    said = " ".join(tags.texts)
    for part in (HOSTILE, "瓷杯", "白色", "65.61 CNY", SHIP_TO, *PLACED.order_ids, "SANDBOX", "not paid yet"):
        assert part in said
    assert "2026-03-09 20:00:00 CST" in said


def test_the_markdown_is_the_receipt_that_clients_read(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    placed(path)
    done = shown(path, "md")
    text = done.stdout_bytes.decode()
    assert (done.exit_code, text.startswith("# Order `PO-1`")) == (0, True)
    assert "<script>" not in text
    assert "65.61 CNY" in text


@pytest.mark.parametrize("outcome", [PLACED, REJECTED, UNKNOWN], ids=lambda outcome: outcome.state)
def test_markdown_and_page_say_the_same_of_an_order(tmp_path: Path, outcome: Outcome) -> None:
    """Cell by cell, without the signs of either format."""
    path = tmp_path / "ledger.sqlite3"
    placed(path, outcome)
    tags = Tags()
    tags.feed(shown(path, "html").stdout_bytes.decode())
    said = [text for text in map(str.strip, tags.texts) if text]
    said = said[said.index("SANDBOX: nothing real is bought.") + 1 :]
    cells: list[str] = []
    for line in shown(path, "md").stdout_bytes.decode().splitlines()[4:]:
        if not re.fullmatch(r"[| -]*", line):
            cells += re.sub(r"\\(.)|[`*#]", r"\1", line).strip("| ").split(" | ")
    assert "".join(cells).replace(" ", "") == "".join(said).replace(" ", "")
    assert ("What to do next" in said) is (outcome is not PLACED)
    assert "2026-03-09 20:00:00 CST" in said


def test_a_reference_that_is_nobodys_has_no_receipt(tmp_path: Path) -> None:
    placed(tmp_path / "ledger.sqlite3")
    done = shown(tmp_path / "ledger.sqlite3", "html", "PO-2")
    assert (done.exit_code, done.stdout) == (1, "")

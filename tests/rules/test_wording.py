"""Form, receipts and terminal in Chinese: every English sentence has its Chinese, and the program says it."""

import ast
import re
import string
import subprocess
import sys
from collections.abc import Container, Iterator

import pytest

from package.test_house import TREES
from xportcn_tools.codes import MODE_WORDS
from xportcn_tools.desk.caps import Breach
from xportcn_tools.desk.present import over_budget
from xportcn_tools.desk.product_problems import WHY_NOT_READ
from xportcn_tools.results import STATE_WORDS
from xportcn_tools.wording import chinese, reworded, sections, worded

SAID, MADE = sections()["said"], sections()["made"]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SIGNS = {
    ", ",
    "; ",
    "{goods}: {amount} CNY",
    "{goods}: {sentence}",
    "- and {more}: {amount} CNY",
    "{code}{whose_}: {text}",
    "{mode_}.",
    "{method_} ({verified_})",
    "**{state}**: this order {words_}",
    "{state}: this order {words_}",
    "{state} ({loud_}this order {words_})",
    "{note}.",
}
JOINED = {"trade type and the flow"}
"""Made of two words in a loop, so that they stand nowhere whole."""
FOR_PEOPLE = {
    *("approve", "orders", "watch_command", "pause", "page_command", "forget"),
    *("backup_command", "audit_command", "caller_command", "addresses"),
}
"""Commands that speak Chinese; what operators run (serve, doctor, sandbox, call) does not."""
OF_THE_FORM = {"below_minimum", "not_in_lots", "low_stock"}
"""Advice on quantities that a preview takes over as warnings; the other notes only a model reads."""


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def bare(text: str) -> str:
    """Without the names of its places."""
    return re.sub(r"{\w*}", "{}", text)


def text_of(node: ast.AST) -> str | None:
    """A text in the source, each of its places as `{}`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)


def calls(*names: str, of: Container[str] = ()) -> Iterator[ast.Call]:
    """In all modules, or in those that are named."""
    for path, tree in TREES.items():
        for node in ast.walk(tree) if not of or path.stem in of else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield node


TEXTS = {bare(text) for tree in TREES.values() for node in ast.walk(tree) if (text := text_of(node))}
SAID_IN_SOURCE = {
    text: {keyword.arg for keyword in call.keywords} - {"err"}
    for name, at in (("t", 0), ("tell", 0), ("worded", 1))
    for call in calls(name)
    if len(call.args) > at and (text := text_of(call.args[at]))
}


def test_every_sentence_that_is_said_has_its_chinese_with_the_same_places() -> None:
    assert len(SAID_IN_SOURCE) > 20
    for english, given in SAID_IN_SOURCE.items():
        assert english in chinese(), f"{english!r} has no Chinese"
        assert places(english) == given, english


def test_the_commands_that_people_use_print_no_english_but_by_the_table() -> None:
    printed = list(calls("say", of=FOR_PEOPLE)) + [
        node
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if path.stem in FOR_PEOPLE and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in ("echo", "confirm", "prompt")
    ]
    assert len(printed) > 10
    for node in printed:
        for text in bare_words(node):
            assert not re.search(r"[A-Za-z]{2,}", text.replace("CNY", "")), (
                f"{text!r}: say it by t() or tell()"
            )


def bare_words(node: ast.AST) -> Iterator[str]:
    """Texts in an expression that no call puts into a language; the name of a field is none."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and ast.unparse(child.func) in ("t", "worded", "fields.get"):
            continue
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value
        yield from bare_words(child)


def test_words_that_are_made_elsewhere_have_their_chinese() -> None:
    warnings = [call.args[1] for call in calls("ShownWarning")]
    notes = [call.args[1] for call in calls("Note") if text_of(call.args[0]) in OF_THE_FORM]
    refusals = [call.args[0] for call in calls("RefusedError")]
    ends = [call.args[0] for call in calls("stop", of=FOR_PEOPLE) if text_of(call.args[0])]
    assert min(len(warnings), len(refusals), len(ends)) > 10
    assert len(notes) == len(OF_THE_FORM)
    known = {bare(english) for english in MADE}
    for node in [*warnings, *notes, *refusals, *ends]:
        assert text_of(node) in known, f"{text_of(node)!r} has no Chinese"
    for words in (*MODE_WORDS.values(), *STATE_WORDS.values(), *WHY_NOT_READ.values()):
        assert words in chinese()


@pytest.mark.parametrize("english", chinese())
def test_a_sentence_has_both_languages_with_the_same_places_and_stands_in_the_program(english: str) -> None:
    text = chinese()[english]
    assert places(english) == places(text)
    assert english in SIGNS or CHINESE.search(text)
    assert not CHINESE.search(english)
    assert not re.search(r"[,.;:!?()] ?$", text), "a sign of English at the end"
    assert english in SAID_IN_SOURCE or bare(english) in TEXTS | JOINED, "nobody says it any more"


@pytest.mark.parametrize("english", MADE)
def test_a_sentence_whose_places_are_filled_is_found_again_as_itself(english: str) -> None:
    filled = {name: "" if name.endswith("_") else "7" for name in places(english)}
    assert reworded("zh", english.format(**filled)) == MADE[english].format(**filled)
    assert reworded("en", english.format(**filled)) == english.format(**filled)


def test_words_of_ours_in_a_place_are_put_into_chinese_and_words_of_others_are_not() -> None:
    assert worded("zh", "Ship to: {ship_to}", ship_to="placed") == "收货地址：placed"
    assert reworded("zh", "order PO-1 is placed; only an unknown one can be resolved").startswith(
        "订单 PO-1 已下单"
    )
    over = Breach("XPORTCN_MAX_DAY_CNY", "100.00", "60.00", "120.00", "2026-11-25T16:00:00Z")
    (warning,) = over_budget(over)
    assert reworded("zh", warning.message) == (
        "此订单会被拒绝：XPORTCN_MAX_DAY_CNY 上限为 100.00 CNY，已用 60.00 CNY，加上此订单为 120.00 CNY，当日于 "
        "2026-11-25T16:00:00Z 结束。"
    )
    assert reworded("zh", "Offer 7: The seller has only 5 of spec ab12 in stock, 9 are asked for.") == (
        "商品 7：卖家规格 ab12 的库存仅 5，需要 9。"
    )
    assert reworded("zh", "quantity of offer 7 spec ab: approved 1, now 2") == (
        "商品 7 规格 ab 的数量：确认时为 1，现在为 2"
    )
    assert worded("zh", "Ship to: {ship_to}", ship_to="{name} {0}") == "收货地址：{name} {0}"
    assert reworded("zh", "What nobody has put into Chinese.") == "What nobody has put into Chinese."


def test_the_words_of_the_trade_are_used() -> None:
    said = "\n".join(chinese().values())
    for word in ("订单", "规格", "起订量", "运费", "合计", "未付款", "收货地址", "一件代发"):
        assert word in said
    assert "低于起订量 2" in reworded(
        "zh",
        "Offer 7: 1 is below the minimum of 2, which counts all options of the offer together; the nearest "
        "quantity that fits is 2.",
    )


def test_nothing_of_it_is_read_where_nobody_reads_chinese() -> None:
    code = (
        "import xportcn_server.app\n"
        "from xportcn_tools import wording\n"
        "wording.worded('en', 'Ship to: {ship_to}', ship_to=1), wording.reworded('en', 'x')\n"
        "assert not wording.sections.cache_info().misses\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

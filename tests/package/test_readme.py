"""README.md is short and in order, README.zh-CN.md has the same parts, and what both say is so."""

import re
from typing import get_args

import pytest

from package.pages import default
from package.readme import ROOT, blocks, readme
from xportcn_tools.results import ProblemCode

PAIR = {"README.zh-CN.md": "README.md", "docs/pictures/page-zh-dark.png": "docs/pictures/page-en-light.png"}
"""What the translation links to, and what stands in its place in README.md, which links to the former."""

BOTH = ["README.md", "README.zh-CN.md"]


def test_it_has_at_most_130_lines_and_its_sections_in_the_order_in_which_a_reader_needs_them() -> None:
    assert len(readme().splitlines()) <= 130
    assert re.findall(r"^## (.+)$", readme(), re.MULTILINE) == [
        "What you need, and what it does not do",
        "Claude Desktop",
        "Any other client, HTTP, frameworks",
        "Going live",
        "Every day",
        "When something goes wrong",
        "For developers",
        "More",
    ]


BLOCK = r"^```.*?^```$"
PART = rf"{BLOCK}|^#+(?= )|^- |^\|(?=.*\|$)|\]\([^)\s]+\)|<img src=\S+ width=\S+|https://[^\s`]+"


def shape(text: str) -> list[str]:
    """Headings, items, rows of a table, blocks with their text, links and pictures, in their order."""
    parts = re.findall(PART, text, re.MULTILINE | re.DOTALL)
    return [re.sub("|".join(PAIR), lambda match: PAIR[match.group()], part) for part in parts]


def code(text: str) -> list[str]:
    """The code in running text; a language may name it in another order."""
    return sorted(re.findall(r"`[^`\n]+`", re.sub(BLOCK, "", text, flags=re.MULTILINE | re.DOTALL)))


def test_both_have_the_same_headings_items_rows_blocks_links_and_code() -> None:
    english, chinese = (re.split(r"^(?=#+ )", readme(name), flags=re.MULTILINE) for name in BOTH)
    assert len(english) == len(chinese)
    for ours, theirs in zip(english, chinese, strict=True):
        assert shape(theirs) == shape(ours)
        assert code(theirs) == code(ours)
    assert len(shape(readme())) > 50


@pytest.mark.parametrize("name", BOTH)
def test_it_says_that_a_placed_order_is_not_paid(name: str) -> None:
    said = "Placed at 1688, not paid yet: pay order … in your Xportcn account. This server does not pay or cancel."
    assert said in re.sub(r"\s+", " ", readme(name))


@pytest.mark.parametrize("name", BOTH)
def test_the_caps_in_it_are_the_defaults(name: str) -> None:
    for cap in ("MAX_ORDER_CNY", "MAX_DAY_CNY", "MAX_DAY_ORDERS"):
        assert re.search(rf"{int(default(cap)):,} (CNY|元|单|orders)", readme(name)), cap


def test_what_goes_wrong_is_five_rows_and_each_code_in_them_is_a_problem_of_the_program() -> None:
    section = readme().partition("## When something goes wrong")[2].partition("\n## ")[0]
    first = [row.split("|")[1] for row in re.findall(r"^\|.*$", section, re.MULTILINE)][2:]
    assert len(first) == 5
    assert set(re.findall("`([a-z_]+)`", "".join(first))) <= set(get_args(ProblemCode))


def test_the_snippet_for_a_framework_is_that_of_an_example_which_a_test_runs() -> None:
    example = (ROOT / "examples" / "langchain_agent.py").read_text("utf-8").splitlines()
    (snippet,) = blocks(readme(), "python")
    assert {line.strip() for line in snippet if line} <= {line.strip() for line in example}


@pytest.mark.parametrize("name", BOTH)
def test_no_emphasis_ends_between_a_full_stop_and_a_character(name: str) -> None:
    """CommonMark would show the asterisks."""
    emphasised = re.findall(r"(\*+)([^*\n]+)\1(.?)", readme(name))
    assert emphasised
    assert not [text for _, text, after in emphasised if text[-1] in "。，：；！？”）" and after.isalnum()]

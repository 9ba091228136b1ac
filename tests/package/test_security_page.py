"""docs/security.md claims nothing without a test, and no test that is not there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
LINK = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
CLAIMS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in PAGE.partition("## Claims and their tests")[2].splitlines()
    if line.startswith("|")
][2:]  # below the table's head


@cache
def names_in(file: Path) -> frozenset[str]:
    """The names of the test functions at the top of a module."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    functions = (node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(function.name for function in functions if function.name.startswith("test_"))


def test_there_are_claims() -> None:
    assert len(CLAIMS) > 30
    assert all(len(row) == 2 for row in CLAIMS)


@pytest.mark.parametrize(("claim", "tests"), CLAIMS, ids=[row[0] for row in CLAIMS])
def test_each_claim_names_tests_that_exist(claim: str, tests: str) -> None:
    links = LINK.findall(tests)
    assert links, claim
    assert LINK.sub("", tests).strip(", ") == "", "between the links stands something that is none"
    for file, name in links:
        assert (ROOT / file).is_file(), file
        assert name in names_in(ROOT / file), f"{file} has no {name}"


@pytest.mark.parametrize(
    "subject",
    [
        "approval",
        "caps",
        "recheck",
        "addresses",
        "foreign_text",
        "trade_types",
        "modes",
        "callers",
        "isolation",
        "http",
    ],
)
def test_each_subject_has_a_claim(subject: str) -> None:
    assert f"/test_{subject}.py::" in PAGE


def test_every_way_of_approval_is_explained() -> None:
    for method in ("form", "operator", "client_dialog", "off"):
        assert re.search(rf"^\| `{method}` \| (true|false) \|", PAGE, re.MULTILINE), method

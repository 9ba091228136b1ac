"""docs/security.md claims nothing without a test, and no test that is not there."""

import re
from typing import get_args

import pytest

from package.readme import ROOT, names_of_tests
from xportcn_tools.results import ApprovalMethod

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
LINK = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
CLAIMS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in PAGE.partition("## Claims and their tests")[2].splitlines()
    if line.startswith("|")
][2:]  # below the table's head


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
        assert name in names_of_tests(ROOT / file), f"{file} has no {name}"


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
    for method in get_args(ApprovalMethod):
        assert re.search(rf"^\| `{method}` \| (true|false) \|", PAGE, re.MULTILINE), method

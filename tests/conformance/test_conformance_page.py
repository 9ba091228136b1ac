"""docs/conformance.md says what `expected.py` says and what the runs found.

After a change that is meant: `XPORTCN_TEST_WRITE_SNAPSHOTS=1 pytest tests/conformance`.
"""

import os

from conformance.checkers import ROOT
from conformance.page import Page, blocks, results
from conformance.suite import Runs
from package.pages import filled

PAGE = ROOT / "docs" / "conformance.md"


def compare(parts: Page) -> None:
    text = PAGE.read_text("utf-8")
    if os.environ.get("XPORTCN_TEST_WRITE_SNAPSHOTS"):
        PAGE.write_text(filled(text, parts), "utf-8")
    assert PAGE.read_text("utf-8") == filled(text, parts), "see the top of this file"


def test_the_page_names_the_versions_and_each_exception_with_its_reason() -> None:
    compare(blocks())


def test_the_page_shows_what_the_runs_found(runs: Runs) -> None:
    compare(results(runs))

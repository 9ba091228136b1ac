"""The files that `make docs` writes are as it would write them, and every table of theirs is complete."""

import re
from typing import get_args

import pytest

from package.pages import MEANINGS, PROBLEMS, ROOT, default, written
from xportcn_server.settings.settings import FIELDS, Settings
from xportcn_tools.results import ProblemCode


@pytest.mark.parametrize("page", sorted(written()))
def test_a_page_says_what_the_program_does(page: str) -> None:
    assert (ROOT / page).read_text("utf-8") == written()[page], "run `make docs`"


def test_every_setting_has_a_meaning_and_no_meaning_is_given_twice() -> None:
    names = [name for section in MEANINGS.values() for name in section]
    assert len(names) == len(set(names))
    assert {name.removeprefix("XPORTCN_") for name in FIELDS} <= set(names)


def test_every_problem_has_a_remedy() -> None:
    assert set(get_args(ProblemCode)) <= set(PROBLEMS)


def test_a_default_that_is_written_is_read_as_the_default() -> None:
    fields = {field: default(name.removeprefix("XPORTCN_")) for name, field in FIELDS.items()}
    written_out = {field: text for field, text in fields.items() if text}
    unset = {"ledger": str(ROOT / "unused.sqlite3")}
    assert Settings.model_validate(unset | written_out) == Settings.model_validate(unset)


def test_every_link_between_the_pages_leads_to_a_file() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "tests" / "README.md"]
    for page in pages:
        if page.exists():
            for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text("utf-8")):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"

"""The files that `make docs` writes are as it would write them, and every table of theirs is complete."""

import re
from pathlib import Path
from typing import get_args

import click
import pytest

from package.pages import MEANINGS, PROBLEMS, ROOT, default, written
from xportcn_server.commands.cli import main
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


LINK = r'(?:\]\(|<img src=")(?!https?:)([^)#\s"]*)#?([^)\s"]*)[)"]'
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "tests" / "README.md"]


def test_every_link_between_the_pages_leads_to_a_file_and_to_a_heading_in_it() -> None:
    for page in PAGES:
        for file, heading in re.findall(LINK, page.read_text("utf-8")):
            target = page.parent / file if file else page
            assert target.exists(), f"{page.name} links to {file}"
            assert not heading or heading in headings(target), f"{page.name} links to {file}#{heading}"


def headings(page: Path) -> set[str]:
    """The names by which the forge links to the headings of a page."""
    found = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_the_list_of_pages_names_every_page() -> None:
    listed = set(re.findall(r"\]\(([a-z-]+\.md)\)", (ROOT / "docs" / "README.md").read_text("utf-8")))
    assert listed == {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}


def test_the_page_of_commands_names_every_command() -> None:
    page = (ROOT / "docs" / "everyday.md").read_text("utf-8").partition("## All commands")[2]
    named = re.findall(r"^\| `([a-z-]+)", page, re.MULTILINE)
    assert set(named) == set(main.list_commands(click.Context(main)))

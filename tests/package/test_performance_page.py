"""docs/performance.md and its picture are as `make bench` writes them; and `make bench` itself, at tiny sizes."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import start_and_calls
from benchmarks.bench import written
from benchmarks.large_ledgers import sqlite
from benchmarks.many_callers import many_callers
from benchmarks.measured import QUICK, ROWS, Figure, Measured, Sizes
from benchmarks.performance_page import HEAD, PAGE, PICTURE, number_in, picture, rows_in, table
from benchmarks.phases import loaded, phases
from benchmarks.surroundings import Place, place

TINY = replace(
    QUICK,
    rounds=2,
    batch=1,
    sqlite_orders=200,
    doctor_runs=1,
    http_rounds=1,
    http_seconds=0.3,
    callers=(2,),
)
MEASURED_IN_ONE_RUN = [row for row in ROWS if row.key != "trail"]


def test_the_page_has_every_row_with_its_goal_and_a_verdict_that_follows_from_its_figure() -> None:
    found = rows_in(PAGE.read_text("utf-8"))
    assert len(found) == len(ROWS)
    for row, (what, _floor, measured, _spread, goal, met) in zip(ROWS, found, strict=True):
        start, _, end = row.what.partition("{} ")
        assert what.startswith(start)
        assert what.endswith(end)
        assert goal == ("–" if row.goal is None else rows_in(table({}))[ROWS.index(row)][4])
        if row.goal is not None and met != "–":
            assert met == ("yes" if row.is_met(number_in(measured)) else "no"), what


def test_the_page_has_a_figure_for_every_row_of_an_ordinary_run() -> None:
    found = dict(zip((row.key for row in ROWS), rows_in(PAGE.read_text("utf-8")), strict=True))
    assert [row.key for row in MEASURED_IN_ONE_RUN if not found[row.key][2][0].isdigit()] == []


def test_the_page_names_day_machine_and_what_else_was_running() -> None:
    text = PAGE.read_text("utf-8")
    head = text.partition("![")[0]
    assert "<!-- Written by `make bench`." in head
    for part in ("in one run of `make bench` on 20", " cores, ", "Python 3.", "cores busy before the run"):
        assert part in head


def test_the_picture_is_drawn_from_the_figures_of_the_page() -> None:
    assert PICTURE.read_text("utf-8") == picture(PAGE.read_text("utf-8"))


def test_a_figure_is_judged_by_its_median_and_a_missing_one_says_why(tmp_path: Path) -> None:
    measured: Measured = {
        "start": Figure([1.0, 1.2, 9.0], "592 ms"),
        "repeat": Figure([0.4, 0.5, 0.1], "1.4 ms"),
        "http-1": Figure([0.4, 0.49, 0.6], "583 a second"),
        "create-big": Figure([7.0], size=1_000_000),
        "start-fastmcp": "not installed: `make clients`",
    }
    written(measured, 9.6, (0.0, 1.5), tmp_path / "page.md", tmp_path / "page.svg")
    text = (tmp_path / "page.md").read_text("utf-8")
    found = dict(zip((row.key for row in ROWS), rows_in(text), strict=True))
    assert len(found["start"]) == len(HEAD)
    assert found["start"][1:] == ["592 ms", "1.20", "1.10 to 5.10", "≤ 1.08", "no"]
    assert found["repeat"][2:] == ["0.40 ms", "0.25 ms to 0.45 ms", "≤ 0.50 ms", "yes"]
    assert found["http-1"][4:] == ["≥ 0.50", "no"]
    assert found["create-big"][0] == "create at 1,000,000 orders ÷ at none, SQLite"
    assert found["start-fastmcp"][2:] == ["not installed: `make clients`", "–", "–", "–"]
    assert found["trail"][2] == "not measured"
    assert "busy machine" in text
    svg = (tmp_path / "page.svg").read_text("utf-8")
    assert svg.count('class="no"') == 3
    assert svg.count('class="yes"') == 1
    assert "7.00 (≤ 1.20)" in svg


def assert_phases_and_memory_add_up(here: Place, sizes: Sizes) -> None:
    for (*parts, whole), given in ((cells_of(phases(here, sizes)), 10), (cells_of(loaded(here, sizes)), 8)):
        assert len(parts) == given - 1
        for column in range(1, len(whole)):
            known = [float(row[column]) for row in parts if row[column] != "–"]
            assert len(known) >= 4
            assert min(known) > 0
            assert sum(known) == pytest.approx(float(whole[column]), rel=0.5)  # medians of two calls


def cells_of(measured: Measured) -> list[list[str]]:
    (table,) = measured.values()
    assert isinstance(table, str)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory and processor times are read from /proc")
def test_the_parts_measure_what_they_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_else(_: Path) -> dict[str, list[str] | str]:
        return {"fastmcp": "not installed", "typescript": "not installed"}

    monkeypatch.setattr(start_and_calls, "others", nothing_else)
    with place(tmp_path) as here:
        measured = start_and_calls.calls(here, TINY) | many_callers(here, TINY) | sqlite(here, TINY)
        assert_phases_and_memory_add_up(here, replace(TINY, rounds=4, batch=4))
    figures = {key: figure for key, figure in measured.items() if isinstance(figure, Figure)}
    texts = {key for key, figure in measured.items() if isinstance(figure, str)}
    assert texts == {"call-fastmcp", "call-typescript"}
    assert {"preview", "preview-50", "create", "repeat", "create-big", "get-big", "doctor"} <= figures.keys()
    assert {"tools", "text", "http-2", "tail-2"} <= figures.keys()
    assert {"preview-within", "preview-50-within", "create-within"} <= figures.keys()
    # Ours does more than the floor, and what is divided is above zero.
    assert figures["preview-50"].median > 0
    assert all(figures[key].median > 0 for key in ("create-big", "get-big", "doctor", "http-2", "tail-2"))
    assert len(figures["preview"].samples) == TINY.rounds
    assert figures["doctor"].size == TINY.sqlite_orders
    assert 3000 < figures["tools"].median <= 7500
    assert 3000 < figures["text"].median <= 12000

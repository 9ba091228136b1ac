"""The hash chain: whatever is done to a row afterwards shows."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.trail_check import first_break
from xportcn_tools.canonical import canonical_json
from xportcn_tools.ledger.trail import GENESIS, TrailRow, seal

ROW_FIELDS = [field.name for field in fields(TrailRow)]
TEXT = st.text(max_size=8)
BODY = st.dictionaries(
    st.sampled_from(["state", "was", "payable_fen"]), st.one_of(TEXT, st.integers(), st.none())
)


def chain(*contents: tuple[str, str, str, dict[str, Any]]) -> list[TrailRow]:
    rows: list[TrailRow] = []
    for sequence, (at, event, subject, content) in enumerate(contents, start=1):
        rows.append(seal(sequence, at, event, subject, content, rows[-1].hash if rows else GENESIS))
    return rows


CHAINS = st.lists(st.tuples(TEXT, TEXT, TEXT, BODY), min_size=2, max_size=6).map(lambda rows: chain(*rows))


def small() -> list[TrailRow]:
    return chain(
        ("2026-11-21T09:30:00Z", "preview", "p1", {"payable_fen": 6561}),
        ("2026-11-21T09:31:00Z", "claimed", "p1", {"state": "sending"}),
        ("2026-11-21T09:31:02Z", "recorded", "p1", {"state": "placed", "order_ids": ["1"]}),
    )


@given(CHAINS)
def test_a_chain_that_nobody_touched_is_whole(rows: list[TrailRow]) -> None:
    assert first_break(rows) is None


def test_a_chain_of_nothing_is_whole() -> None:
    assert first_break([]) is None


def test_a_row_holds_its_body_as_canonical_json_and_begins_at_genesis() -> None:
    first, second, _ = small()
    assert first.body == canonical_json({"payable_fen": 6561})
    assert first.previous == GENESIS
    assert second.previous == first.hash


@pytest.mark.parametrize("field", ROW_FIELDS)
@given(rows=CHAINS, where=st.integers(0), value=TEXT, number=st.integers())
def test_a_changed_field_breaks_the_chain_at_its_row(
    field: str, rows: list[TrailRow], where: int, value: str, number: int
) -> None:
    at = where % len(rows)
    new = number if field == "sequence" else value
    assume(new != getattr(rows[at], field))
    rows[at] = replace(rows[at], **{field: new})
    assert first_break(rows) == at + 1


@pytest.mark.parametrize("field", ["event", "subject", "at"])
def test_another_unicode_spelling_is_another_row(field: str) -> None:
    cafe = "caf\u00e9"
    rows = chain((cafe, cafe, cafe, {}), (cafe, cafe, cafe, {}))
    rows[0] = replace(rows[0], **{field: "cafe\u0301"})
    assert first_break(rows) == 1


def test_text_moved_from_one_field_to_the_next_shows() -> None:
    rows = small()
    rows[1] = replace(rows[1], event="claim", subject="edp1")
    assert first_break(rows) == 2


@given(CHAINS, st.integers(0))
def test_a_row_taken_out_breaks_the_chain(rows: list[TrailRow], where: int) -> None:
    at = where % (len(rows) - 1)
    del rows[at]
    assert first_break(rows) == at + 1


@given(CHAINS, st.integers(0))
def test_a_row_put_in_twice_breaks_the_chain(rows: list[TrailRow], where: int) -> None:
    rows.insert(where % len(rows), rows[where % len(rows)])
    assert first_break(rows) is not None


@given(CHAINS, st.randoms())
def test_rows_in_another_order_break_the_chain(rows: list[TrailRow], chance: Any) -> None:
    turned = list(rows)
    chance.shuffle(turned)
    assume(turned != rows)
    assert first_break(turned) is not None


@given(CHAINS, st.integers(0), TEXT)
def test_a_row_sealed_again_breaks_the_chain_behind_it(rows: list[TrailRow], where: int, event: str) -> None:
    at = where % (len(rows) - 1)
    old = rows[at]
    assume(event != old.event)
    rows[at] = seal(old.sequence, old.at, event, old.subject, {}, old.previous)
    assert first_break(rows) == old.sequence + 1


def test_a_chain_that_begins_elsewhere_is_broken_at_once() -> None:
    assert first_break(small()[1:]) == 1
    assert first_break([seal(1, "t", "e", "s", {}, "f" * 64)]) == 1


def test_a_number_left_out_breaks_a_chain_whose_hashes_fit() -> None:
    first = seal(1, "t", "e", "s", {}, GENESIS)
    assert first_break([first, seal(3, "t", "e", "s", {}, first.hash)]) == 2
    assert first_break([seal(2, "t", "e", "s", {}, GENESIS)]) == 1


def test_rows_cut_off_at_the_end_leave_a_whole_chain() -> None:
    """Known and unavoidable: only a hash that was noted elsewhere shows it."""
    assert first_break(small()[:-1]) is None


def test_a_float_never_enters_the_trail() -> None:
    with pytest.raises(TypeError):
        seal(1, "t", "e", "s", {"payable": 65.61}, GENESIS)

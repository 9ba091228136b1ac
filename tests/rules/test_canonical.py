"""Canonical JSON: one value has one spelling, and what has none is refused."""

import json
import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xportcn_tools.canonical import canonical_json, fingerprint

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(max_size=4), inner)),
    max_leaves=12,
)


def test_the_spelling_is_sorted_dense_and_keeps_chinese() -> None:
    assert canonical_json({"b": [1, True, None], "a": "库存"}) == '{"a":"库存","b":[1,true,null]}'


def test_the_fingerprint_is_the_sha_256_of_the_spelling() -> None:
    assert fingerprint({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert len(fingerprint({"a": 1})) == 64


def test_one_text_in_two_unicode_spellings_is_one_value() -> None:
    assert COMPOSED != DECOMPOSED
    assert fingerprint({COMPOSED: COMPOSED}) == fingerprint({DECOMPOSED: DECOMPOSED})


def test_lists_and_tuples_are_one_and_their_order_counts() -> None:
    assert fingerprint([1, 2]) == fingerprint((1, 2))
    assert fingerprint([1, 2]) != fingerprint([2, 1])


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (0, False), (1, "1"), (None, ""), ([], {}), ("a", ["a"]), (0, None)]
)
def test_different_values_have_different_fingerprints(one: object, other: object) -> None:
    assert fingerprint({"x": one}) != fingerprint({"x": other})


@pytest.mark.parametrize(
    "value", [1.0, 0.1, float("nan"), Decimal(1), b"x", {1}, object()], ids=lambda value: type(value).__name__
)  # type: ignore[reportUnknownLambdaType]
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x], lambda x: {"a": {"b": (x,)}}])  # type: ignore[reportUnknownLambdaType]
def test_a_value_without_a_single_spelling_is_refused_at_any_depth(value: object, wrap: Any) -> None:
    with pytest.raises(TypeError):
        canonical_json(wrap(value))


@pytest.mark.parametrize("value", [{1: "a"}, {None: 1}, {COMPOSED: 1, DECOMPOSED: 2}], ids=repr)
def test_names_must_be_texts_that_stay_apart(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


@given(st.dictionaries(st.text(max_size=5), VALUES), st.randoms())
def test_the_order_of_names_does_not_matter(value: dict[str, Any], chance: Any) -> None:
    normal = {unicodedata.normalize("NFC", name): item for name, item in value.items()}
    pairs = list(normal.items())
    chance.shuffle(pairs)
    assert canonical_json(dict(pairs)) == canonical_json(normal)


@given(
    st.dictionaries(st.sampled_from("abc"), st.one_of(st.integers(), st.text("abé "), st.lists(st.none())))
)
def test_a_value_is_read_back_in_nfc(value: dict[str, Any]) -> None:
    back = json.loads(canonical_json(value))
    assert back == value
    assert canonical_json(back) == canonical_json(value)

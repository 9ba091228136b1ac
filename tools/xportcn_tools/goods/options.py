"""Words to one option: "red, L", "颜色:红色 尺码:L". Pure.

An option fits where all that was said is used up by whole values of its dimensions, one value a dimension,
in either language and any order. So 红色 never takes 酒红色, nor "red" "wine red". Case, width, brackets,
signs between words and the suffixes 码, 号 and size do not count; the name of a dimension may stand beside
its value. What belongs to a number counts: sign, point and comma, and what is written behind it (% ‰ ' ").
Exactly one option that fits is a choice; several, or none, are not.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

from xportcn_tools.goods.product import OptionValue, Product, ProductOption

_MOST_WORDS = 300  # characters
_MOST_DIMENSIONS = 6  # two are usual; bounds the work

_KINDS = (
    ("颜色", "color"),
    ("尺码", "尺寸", "鞋码", "码数", "size"),
    ("规格", "specification", "spec"),
    ("款式", "style"),
    ("型号", "model"),
)
"""What people call a dimension whose own name holds one of these."""
_SUFFIXES = ("码", "号", "size")

_MARKS_BETWEEN = frozenset("|=`^\N{FRACTION SLASH}")
_MARKS_THAT_COUNT = frozenset("#%&@*‰‱")
_LIKES = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58", "-")
    | dict.fromkeys("‘’′", "'")
    | dict.fromkeys("“”″", '"')
)
_QUOTED = re.compile(r"(?<!\w)([\"'])(.*?)\1(?!\w)")
_SMALL_BESIDE_DIGIT = re.compile(r"(?<=[0-9])(?=[¼-¾⅐-⅞⁰¹²³⁴-⁹])|(?<=[⁰¹²³⁴-⁹])(?=[0-9])")
_LEADING_POINT = re.compile(r"(?<![\w.])\.(?=[0-9])")
_TIMES = re.compile(r"(?<=[0-9])\s?[*×✕✖]\s?(?=[0-9])")
_SIZE_BEFORE_NUMBER = re.compile(r"(?<![^\W0-9_])size(?=[0-9])")


@dataclass(frozen=True)
class Match:
    """`options`: those that fit exactly, one of them a choice. `near`: the others, the likeliest first."""

    options: tuple[ProductOption, ...]
    near: tuple[ProductOption, ...]

    @property
    def chosen(self) -> ProductOption | None:
        """The option whose words were said, where there is exactly one."""
        return self.options[0] if len(self.options) == 1 else None


def fitting(product: Product, words: str) -> Match:
    """The options of a product that fit words. Where nothing is said, all fit."""
    plain, signed = (_folded(words[:_MOST_WORDS], signed=signed) for signed in (False, True))
    distinct = {value for option in product.options for value in option.values}
    texts = {text for value in distinct for text in _texts(value) if not _folded(text).gaps}
    joined = frozenset[str]().union(*map(_spellings, texts))
    # 尺码-5 may say minus five or five, and 2 XL the size 2XL or two of XL: what fits in any reading fits.
    readings = [(plain, frozenset[str]()), (signed, frozenset[str]()), (plain, joined)]
    places = [{value: _Places(value, said, extra) for value in distinct} for said, extra in readings]
    exact: list[ProductOption] = []
    rest: list[tuple[tuple[int, int], ProductOption]] = []
    sure = False
    for option in product.options:
        in_each = [[reading[value] for value in option.values] for reading in places]
        fits = [_used_up(said, values) for (said, _), values in zip(readings, in_each, strict=True)]
        sure = sure or any(fits[:2])
        if len(words) <= _MOST_WORDS and any(fits):
            exact.append(option)
        else:
            values = in_each[0]
            tokens = set[str]().union(*(value.shared for value in values))
            rest.append(((sum(bool(value.spans) for value in values), len(tokens)), option))
    rest.sort(key=lambda each: each[0], reverse=True)
    ranked = tuple(option for _, option in rest)
    return Match(tuple(exact), ranked) if sure else Match((), (*exact, *ranked))


@dataclass(frozen=True)
class _Folded:
    """Text as it is compared: one spelling, without the signs between words.

    `edges`: where a word may begin or end. A number with its letters is one word (350ml), so XL is no part of
    2XL; each Chinese character is one. Only two words of letters, or two numbers, keep a `|` between them,
    numbers of a list a `;`. `gaps`: where something stood between two words. `colons`: where a word begins
    that stands behind a colon.
    """

    text: str
    edges: frozenset[int]
    gaps: frozenset[int]
    colons: frozenset[int]

    def after(self, position: int) -> int:
        """Where the next word begins, once one has ended here."""
        return position + (self.text[position : position + 1] in ("|", ";"))

    def touches(self, position: int) -> bool:
        """Whether two Chinese characters stand side by side here."""
        around = self.text[max(position - 1, 0) : position + 1]
        return position not in self.gaps and len(around) > 1 and all(map(_is_chinese, around))

    @cached_property
    def tokens(self) -> frozenset[str]:
        cuts = pairwise(sorted(self.edges))
        return frozenset(self.text[start:end] for start, end in cuts) - {"|", ";"}


def _kind(text: str, position: int, signed: bool) -> str:
    """`d`igit, `l`etter, `c`hinese character, `s`ign that tells values apart, or nothing: a separator."""
    character = text[position]
    before, after = text[position - 1 : position], text[position + 1 : position + 2]
    if character in ".,":
        return "d" if before.isdecimal() and after.isdecimal() else ""
    if character in "'\"":  # feet and inches
        return "s" if before.isdecimal() else ""
    if character == "-":  # minus five is not five; between words it is a dash
        sign = signed and not before.isdecimal()
        return (
            "s" if after.isdecimal() and (sign or not before or before.isspace() or before in "(:=/,") else ""
        )
    category = unicodedata.category(character)
    if category[0] == "N" and category != "Nl":
        return "d"
    if category[0] in "LMN":
        return "c" if _is_chinese(character) else "l"
    counts = category[0] == "S" and character not in _MARKS_BETWEEN
    return "s" if counts or character in _MARKS_THAT_COUNT else ""


def _is_chinese(character: str) -> bool:
    return "\u3007" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or character >= "\U00020000"


@lru_cache(maxsize=4096)
def _folded(text: str, *, signed: bool = False) -> _Folded:
    """`signed`: each dash before a number is its sign, but for one between two numbers."""
    text = _SMALL_BESIDE_DIGIT.sub(" ", text).translate(_LIKES)
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    text = _LEADING_POINT.sub("0.", _QUOTED.sub(r" \2 ", text))
    text = _TIMES.sub("x", text).replace("×", "x").replace("colour", "color")
    text = _SIZE_BEFORE_NUMBER.sub("size ", text)
    folded = ""
    edges, gaps, colons = {0}, set[int](), set[int]()
    last = between = ""
    for position, character in enumerate(text):
        kind = _kind(text, position, signed)
        if not kind:
            between += character
            continue
        if folded and (between or kind in "cs" or last in "cs"):
            edges.add(len(folded))
            if between:
                gaps.add(len(folded))
            if between and kind == last and kind in "dl":
                folded += ";" if kind == "d" and set(between) & set(",;、") else "|"
                edges.add(len(folded))
        if ":" in between or "=" in between:
            colons.add(len(folded))
        folded += character
        last, between = kind, ""
    return _Folded(folded, frozenset(edges | {len(folded)}), frozenset(gaps), frozenset(colons))


class _Places:
    """Where a value stands in what was said, whole; and which of the words said it holds somehow.

    `joined`: the spellings of values in one piece. Where 2XL is one, `2 XL` may say it, or two of XL.
    """

    def __init__(self, value: OptionValue, said: _Folded, joined: frozenset[str]) -> None:
        keys = {key for text in _texts(value) for key in _spellings(text)}
        names = [_folded(name).text for name in (value.name, value.name_translated) if name]
        labels = {
            name for kind in _KINDS if any(each in name for each in kind for name in names) for name in kind
        }
        self.shared = {token for token in said.tokens if any(_holds(key, token) for key in keys)}
        self.spans: dict[int, set[int]] = {}
        for key in keys:
            for start in _found(said, key):
                end = start + len(key)
                starts = {start, *(at for at in _number_before(said, start) if said.text[at:end] in joined)}
                ends = {end, *(at for at in _number_behind(said, end) if said.text[start:at] in joined)}
                for at in list(starts):
                    starts |= set(_before(said, at, labels | {"size"}, set(names)))
                for at in list(ends):
                    ends |= set(_behind(said, at, labels | set(_SUFFIXES)))
                for each in starts:
                    self.spans.setdefault(each, set()).update(said.after(end) for end in ends)


def _texts(value: OptionValue) -> Iterator[str]:
    yield from filter(None, (value.value, value.value_translated))


@lru_cache(maxsize=4096)
def _spellings(text: str) -> frozenset[str]:
    """A value as it is compared, with and without its suffix: `26码` is 26, `Size 26` too."""
    folded = _folded(text)
    spellings = {folded.text, folded.text.replace(";", "|")} - {""}
    for suffix in _SUFFIXES:
        rest = len(folded.text) - len(suffix)
        if rest > 0 and folded.text.endswith(suffix) and rest in folded.edges:
            spellings.add(folded.text[:rest].removesuffix("|"))
    if folded.text.startswith("size") and len("size") in folded.edges:
        spellings |= {folded.text[len("size") :].removeprefix("|")} - {""}
    return frozenset(spellings)


def _found(said: _Folded, key: str) -> Iterator[int]:
    """Where a key stands between edges."""
    start = said.text.find(key)
    while start >= 0:
        if start in said.edges and start + len(key) in said.edges:
            yield start
        start = said.text.find(key, start + 1)


def _before(said: _Folded, start: int, labels: set[str], names: set[str]) -> Iterator[int]:
    """Where the name of the dimension begins, if it stands before the value.

    What only the seller calls it needs a colon: a dimension may be called anything, such as 酒.
    """
    head = said.text[:start].removesuffix("|")
    for label in labels | (names if start in said.colons else set[str]()):
        if label and head.endswith(label) and len(head) - len(label) in said.edges:
            yield len(head) - len(label)


def _behind(said: _Folded, end: int, labels: set[str]) -> Iterator[int]:
    start = said.after(end)
    for label in labels:
        if said.text.startswith(label, start) and start + len(label) in said.edges:
            yield start + len(label)


def _number_before(said: _Folded, start: int) -> Iterator[int]:
    """Where the number begins that stands before a word, apart from it."""
    if start in said.gaps and (number := re.search(r"[0-9.]+$", said.text[:start])):
        yield number.start()


def _number_behind(said: _Folded, end: int) -> Iterator[int]:
    if end in said.gaps and (number := re.match(r"[0-9.]+", said.text[end:])):
        yield end + number.end()


def _holds(key: str, token: str) -> bool:
    """Whether a value contains a word that was said; a single letter only as a word of its own."""
    return token in key if len(token) > 1 or not token.isascii() else token in key.split("|")


def _used_up(said: _Folded, values: list[_Places]) -> bool:
    """Whether all that was said is a row of whole values, each dimension at most once.

    A value of one Chinese character touches no other (大红色 is not 大 and 红色): it may belong to that word.
    """
    if len(values) > _MOST_DIMENSIONS:
        return not said.text
    reached, open_states = set[tuple[int, int, bool]](), [(0, 0, False)]
    while open_states:
        position, used, one = open_states.pop()
        if position == len(said.text):
            return True
        for number, value in enumerate(values):
            if used & 1 << number:
                continue
            for end in value.spans.get(position, ()):
                alone = end - position == 1
                if (one or alone) and said.touches(position):
                    continue
                state = (end, used | 1 << number, alone)
                if state not in reached:
                    reached.add(state)
                    open_states.append(state)
    return False

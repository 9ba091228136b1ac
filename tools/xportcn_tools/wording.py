"""What people read, in Chinese. The English stands in the program, where it is said; `chinese.toml` has the
Chinese of each sentence, and is read only where somebody reads Chinese.

A sentence may have places in braces. A place whose name ends in `_` holds words of ours, which are put into
Chinese as well; all others hold figures, names and what others wrote, and stay as they are. What has no
Chinese is said in English: no order fails for want of a translation.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Literal

UiLanguage = Literal["en", "zh"]


def worded(language: UiLanguage, english: str, /, **places: object) -> str:
    """The sentence in this language, its places filled in."""
    if language == "en":
        return english.format(**places)
    return _filled(chinese().get(english, english), places)


def reworded(language: UiLanguage, text: str) -> str:
    """A sentence of ours whose places are filled in already, as a warning that the ledger keeps."""
    if language == "en" or not text:
        return text
    whole = chinese().get(text)
    return whole or next(_matched(text), text)


@cache
def sections() -> dict[str, dict[str, str]]:
    """The Chinese by the English. `said`: where it is made. `made`: elsewhere, its places filled in."""
    return tomllib.loads(files("xportcn_tools").joinpath("chinese.toml").read_text("utf-8"))


@cache
def chinese() -> dict[str, str]:
    """All of it."""
    return {english: text for section in sections().values() for english, text in section.items()}


def _filled(text: str, places: Mapping[str, object]) -> str:
    ours = {name: _listed(str(value)) for name, value in places.items() if name.endswith("_")}
    return text.format_map({**places, **ours})


def _listed(text: str) -> str:
    """Words of ours: one sentence, or several with semicolons between them."""
    known = reworded("zh", text)
    return known if known != text else "；".join(reworded("zh", part) for part in text.split("; "))


def _matched(text: str) -> Iterator[str]:
    for pattern, translation in _patterns():
        if found := pattern.fullmatch(text):
            yield _filled(translation, found.groupdict())


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Those with most words before their first place go first, then the longest: a sentence is not taken for
    the one that stands in a place of it, nor for a shorter one that begins the same.
    """
    made = sorted(
        sections()["made"].items(), key=lambda each: (each[0].find("{"), len(each[0])), reverse=True
    )
    return [(_pattern(english), text) for english, text in made if "{" in english]


def _pattern(english: str) -> re.Pattern[str]:
    parts = Formatter().parse(english)
    return re.compile(
        "".join(re.escape(text) + (f"(?P<{name}>.*?)" if name else "") for text, name, _, _ in parts),
        re.DOTALL,
    )

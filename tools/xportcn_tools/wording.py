"""What people read, in Chinese. The English stands in the program, where it is said; `chinese.toml` has the
Chinese of each sentence, and is read only where somebody reads Chinese.

A sentence may have places in braces. A place whose name ends in `_` holds words of ours, which are put into
Chinese as well; all others hold figures, names and what others wrote, and stay as they are. What has no
Chinese is said in English: no order fails for want of a translation.
"""

import re
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
    import tomllib  # noqa: PLC0415 - no part of an English start

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
    """In the order of the file: the first that fits counts."""
    return [(_pattern(english), text) for english, text in sections()["made"].items() if "{" in english]


def _pattern(english: str) -> re.Pattern[str]:
    found = ""
    for text, name, _, _ in Formatter().parse(english):
        # Between two places that touch, the second begins with words that only a tail begins with.
        place = _tails() if found and not text else ".*?"
        found += re.escape(text) + (f"(?P<{name}>{place})" if name else "")
    return re.compile(found, re.DOTALL)


@cache
def _tails() -> str:
    """What may stand behind a place with nothing between: a sentence that begins with a space or a sign."""
    tails = (Formatter().parse(english) for english in sections()["made"] if english[0] in " ,;")
    each = ("".join(re.escape(text) + (".*?" if name else "") for text, name, _, _ in tail) for tail in tails)
    return f"(?:{'|'.join(each)})?"

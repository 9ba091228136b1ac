"""Text that a stranger wrote, made fit to be shown: one cleaner for all of it.

Sellers and the upstream write messages, promotion texts and error texts; a person and a language model
read them. What leaves here is plain text of one line: no mark-up, no control, bidirectional, zero-width
or tag characters, at most 300 characters. Chinese, emoji and valid variation sequences stay as they are:
nothing is normalised. Used by `wire.py` only, so that no path goes round it.
"""

import html
import re
import unicodedata
from html.parser import HTMLParser

TEXT_LIMIT = 300
_INPUT_LIMIT = 4000  # no honest text is longer; bounds the work on a hostile one
_MARKS_IN_A_ROW = 4  # stacked diacritics beyond this only deface what stands around them

_BLOCKS = frozenset(
    ("br", "p", "div", "li", "tr", "td", "th", "ul", "ol", "h1", "h2", "h3", "h4", "hr", "table")
)
_OPEN_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_MARKDOWN_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_ZERO_WIDTH_JOINER = "\u200d"
# Invisible although their category does not say so: fillers, joiners, blanks, Mongolian selectors.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2065\u2800\u3164\uffa0")


class _TextOnly(HTMLParser):
    """Collects what stands between tags, and nothing of scripts and styles."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._hidden += tag in ("script", "style")
        self._space(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._space(tag)

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in ("script", "style")))
        self._space(tag)

    def _space(self, tag: str) -> None:
        if tag in _BLOCKS:  # an inline tag inside a Chinese word leaves no gap
            self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name}")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name}")


def _without_markup(text: str) -> str:
    if "<" not in text:
        return text
    parser = _TextOnly()
    parser.feed(text)
    parser.close()
    return "".join(parser.parts)


def _decoded_and_stripped(text: str) -> str:
    """Entities first, then tags, until nothing changes: `&amp;lt;b&gt;` is a tag in two coats."""
    for _ in range(len(text)):
        plain = _MARKDOWN_LINK.sub(r"\1", _without_markup(html.unescape(text)))
        if plain == text:
            return plain
        text = plain
    return text


def _is_pictograph(character: str) -> bool:
    return unicodedata.category(character) in ("So", "Sk") or character in "#*0123456789\u203c\u2049\u2194"


def _is_ideograph(character: str) -> bool:
    return unicodedata.category(character) == "Lo" and (
        0x3400 <= ord(character) <= 0x9FFF
        or 0xF900 <= ord(character) <= 0xFAFF
        or 0x20000 <= ord(character) <= 0x3FFFF
    )


def _selector_is_valid(selector: str, base: str) -> bool:
    """A variation selector is kept once, behind a base it can vary; runs of them smuggle bytes."""
    if 0xE0100 <= ord(selector) <= 0xE01EF:
        return _is_ideograph(base)
    return _is_pictograph(base) or _is_ideograph(base) or unicodedata.category(base) in ("Sm", "So", "Po")


def _is_selector(character: str) -> bool:
    return 0xFE00 <= ord(character) <= 0xFE0F or 0xE0100 <= ord(character) <= 0xE01EF


def _without_invisible(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for position, character in enumerate(text):
        category = unicodedata.category(character)
        before = kept[-1] if kept else ""
        if category in ("Zs", "Zl", "Zp") or character in "\t\n\r\v\f\x85":
            kept.append(" ")
            continue
        if _is_selector(character):
            if before and _selector_is_valid(character, before):
                kept.append(character)
            continue
        if character == _ZERO_WIDTH_JOINER:
            after = text[position + 1 : position + 2]
            joins = before and after and unicodedata.category(after) == "So"
            if joins and (_is_pictograph(before) or before == "\ufe0f"):
                kept.append(character)
            continue
        if category in ("Cc", "Cf", "Cs", "Co") or character in _INVISIBLE:
            continue
        if category == "Cn" and (0xE0000 <= ord(character) <= 0xE0FFF or ord(character) & 0xFFFE == 0xFFFE):
            continue
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= _MARKS_IN_A_ROW:
            kept.append(character)
    return "".join(kept)


def clean(text: str) -> str:
    """One line of plain text, at most 300 characters, out of whatever a stranger wrote."""
    # Invisible characters go first as well: one between the letters of an entity would hide it.
    visible = _without_invisible(text[:_INPUT_LIMIT])
    plain = _without_invisible(_decoded_and_stripped(visible))
    # What still looks like the start of a tag was never closed; apart, it is a less-than sign.
    return " ".join(_OPEN_TAG.sub("< ", plain).split())[:TEXT_LIMIT].rstrip()

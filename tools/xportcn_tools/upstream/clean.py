"""One cleaner for all text that others wrote. Pure.

Sellers and the upstream write messages, promotion texts and error texts; a person and a language model
read them. What leaves here is plain text of one line: no mark-up, no control, bidirectional, zero-width
or tag characters, at most 300 characters. Chinese, emoji and valid variation sequences stay as they are:
nothing is normalised. Answers are cleaned as they are read, so no text goes past it.
"""

import html
import re
import unicodedata
from functools import lru_cache

TEXT_LIMIT = 300
_INPUT_LIMIT = 4000  # no honest text is longer; bounds the work on a hostile one
_LAYERS = 8  # nothing honest is wrapped deeper; what is, loses the characters that wrap
_WRAPPING = re.compile(r"[<>&\[\]]")
_MARKS_IN_A_ROW = 4  # stacked diacritics beyond this only deface what stands around them

# Our own scanner, not the standard parser: that one raises on `<![x[`, is quadratic, and reads unclosed
# tags differently from one Python to the next. No tag reaches over a `<`, so the work stays linear.
_MARKUP = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<hidden>script|style)(?=[\s/>]).*?(?:</(?P=hidden)[^<>]*+>|\Z)"
    r"""|</?(?P<tag>[A-Za-z][^\s/<>]*+)(?:(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>|[^<>]*+>)"""
    r"|<[/!?][^<>]*+>",
    re.DOTALL | re.IGNORECASE,
)
_BLOCKS = frozenset(
    ("br", "p", "div", "li", "tr", "td", "th", "ul", "ol", "h1", "h2", "h3", "h4", "hr", "table")
)
_OPEN_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_MARKDOWN_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_ZERO_WIDTH_JOINER = "\u200d"
# Their categories do not say it. Blank: Hangul fillers, Braille without a dot. Invisible: a joiner, inherent
# vowels, Mongolian selectors, Khitan filler.
_ORDINARY = re.compile("[ -~×¥\u3001-\u3029\u3030-\u303d\u4e00-\u9fcc\uff01-\uff5e]*")
"""ASCII, Chinese and their punctuation: each is seen as it is, whatever stands around it."""
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_INVISIBLE = frozenset("\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f\U00016fe4")


def _in_place_of(markup: re.Match[str]) -> str:
    """A block leaves a gap; an inline tag inside a Chinese word leaves none."""
    return " " if (markup["tag"] or "").lower() in _BLOCKS else ""


def _unwrapped(text: str) -> str:
    """One layer off: invisible characters, entities, tags, links."""
    text = _MARKUP.sub(_in_place_of, html.unescape(seen(text)[0]))
    return _MARKDOWN_LINK.sub(r"\1", text)


def _plain(text: str) -> str:
    """Layers off until nothing changes: `&amp;lt;b&gt;` is a tag in two, `&l&#8203;t;b&gt;` in two others."""
    for _ in range(_LAYERS):
        plain = _unwrapped(text)
        if plain == text:
            return plain
        text = plain
    return seen(_WRAPPING.sub("", text))[0]


def _is_pictograph(character: str) -> bool:
    return (
        unicodedata.category(character) in ("So", "Sk")
        or character in "#*0123456789\u203c\u2049\u2194"
        or 0x1F000 <= ord(character) <= 0x1FAFF
    )


def _is_ideograph(character: str) -> bool:
    """Planes 2 and 3 are for ideographs alone: names have some that this Python does not know yet."""
    code = ord(character)
    if code >= 0x20000:
        return code < 0x40000 and code & 0xFFFE != 0xFFFE
    return unicodedata.category(character) == "Lo" and (0x3400 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF)


def _selector_is_valid(selector: str, base: str) -> bool:
    """A variation selector is kept once, behind a base it can vary; runs of them smuggle bytes."""
    if _is_ideograph(base):
        return ord(selector) >= 0xE0100 or ord(selector) <= 0xFE02
    return ord(selector) < 0xE0100 and (
        _is_pictograph(base) or unicodedata.category(base) in ("Sm", "So", "Po")
    )


def _is_selector(character: str) -> bool:
    return 0xFE00 <= ord(character) <= 0xFE0F or 0xE0100 <= ord(character) <= 0xE01EF


def _joins(before: str, after: str) -> bool:
    """Whether a joiner between these two holds an emoji together."""
    return bool(before and after) and (
        (_is_pictograph(before) or before == "\ufe0f") and (_is_pictograph(after) and not after.isascii())
    )


def _is_hidden(character: str, category: str) -> bool:
    """Control, format, half, private-use and unassigned characters, and those in `_INVISIBLE`."""
    if category == "Cn":
        return not (_is_ideograph(character) or _is_pictograph(character))
    return category in ("Cc", "Cf", "Cs", "Co") or character in _INVISIBLE


def seen(text: str) -> tuple[str, list[str]]:
    """What a person sees of a text, each blank as a space; and the characters in it that stay unseen.

    The rule for all text, ours or others': others' text loses the unseen, arguments are refused for it.
    """
    if _ORDINARY.fullmatch(text):
        return text, []
    kept: list[str] = []
    unseen: list[str] = []
    marks = 0
    for position, character in enumerate(text):
        category = unicodedata.category(character)
        before = kept[-1] if kept else ""
        is_mark = category in ("Mn", "Me")
        if character.isspace() or character in _BLANKS:
            kept.append(" ")
        elif _is_selector(character):
            (kept if before and _selector_is_valid(character, before) else unseen).append(character)
            continue
        elif character == _ZERO_WIDTH_JOINER:
            (kept if _joins(before, text[position + 1 : position + 2]) else unseen).append(character)
            continue
        elif _is_hidden(character, category) or (is_mark and marks == _MARKS_IN_A_ROW):
            unseen.append(character)
            continue
        else:
            kept.append(character)
        marks = marks + 1 if is_mark else 0
    return "".join(kept), unseen


def cut(text: str, most: int) -> str:
    """The beginning of a text, in at most so many characters, that ends in no space and in half no emoji."""
    return text if len(text) <= most else text[:most].rstrip(f" {_ZERO_WIDTH_JOINER}")


def clean(text: str) -> str:
    """One line of plain text, at most 300 characters, out of text that somebody else wrote."""
    return cut(one_line(text), TEXT_LIMIT)


def one_line(text: str) -> str:
    """What `clean` cuts: to judge a text by, not to show it."""
    return _one_line(text[:_INPUT_LIMIT])


@lru_cache(maxsize=512)  # the lines of an order, and the places where each is shown, have the same words
def _one_line(text: str) -> str:
    # What still looks like the start of a tag was never closed; apart, it is a less-than sign.
    return " ".join(_OPEN_TAG.sub("< ", _plain(text)).split())


def escaped(text: str, keep: str = "\n") -> str:
    """Any text for a terminal or a log: what could act there, or is not seen, as its escape, but `keep`."""
    return "".join(
        character
        if character.isprintable() or character in keep or unicodedata.category(character) == "Zs"
        else character.encode("unicode_escape").decode()
        for character in text
    )


_CORNERS = re.compile("[「」｢｣﹁﹂]")


def without_corners(text: str) -> str:
    """A text without the signs that foreign text stands between, and without their likes."""
    return _CORNERS.sub("", text)


def quoted(text: str) -> str:
    """Foreign text between 「 and 」, without these two signs in it, in at most 300 characters."""
    bare = without_corners(text)
    return f"「{bare if len(bare) <= TEXT_LIMIT else cut(bare, TEXT_LIMIT - 1) + '…'}」"

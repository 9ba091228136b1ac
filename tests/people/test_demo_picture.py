"""The picture of `xportcn-mcp demo` shows what the program prints today."""

import re
from xml.parsers.expat import ParserCreate

from people.demo_picture import COLUMNS, PICTURE, as_svg, recorded, words


def test_the_picture_has_the_words_of_todays_demo() -> None:
    assert words(PICTURE.read_text("utf-8")) == words(as_svg(recorded())), "run `make screenshots`"


def test_the_picture_shows_price_form_order_and_that_it_is_ordered_once() -> None:
    shown = "\n".join(words(PICTURE.read_text("utf-8")))
    for text in ("payable", "| Total to pay: 64.00 CNY", "> yes", "placed: order …", "nothing was sent"):
        assert text in shown


def test_the_picture_is_small_and_asks_for_nothing_from_elsewhere() -> None:
    svg = PICTURE.read_text("utf-8")
    ParserCreate().Parse(svg, True)
    assert len(svg.encode()) < 60_000
    assert re.findall(r"https?://[^\"&<]*", svg) == [
        "http://www.w3.org/2000/svg",
        "https://detail.1688.com/offer/610947572360.html",  # in the person's words
    ]
    assert not re.search(r"url\(|@import|@font-face|<(image|script|a|use|foreignObject)\b", svg)


def test_a_long_line_goes_on_in_the_next_and_colours_and_signs_keep_their_places() -> None:
    long = "x" * COLUMNS + "<&y"
    svg = as_svg(f"\x1b[1m\n2. Bold\x1b[0m\n{long}\n\x1b[36m白\x1b[0m z\n")
    assert words(svg) == ["2. Bold", "x" * COLUMNS, "<&y", "白 z"]
    assert '<tspan class="b">2. Bold</tspan>' in svg
    assert '<tspan class="c">白</tspan><tspan class=""> z</tspan>' in svg


def test_a_sign_stands_where_steps_are_left_out() -> None:
    printed = "Title\n\n1. One\n   a\n\n2. Two\n   b\n\n7. Seven\n   c\n\nEnd"
    assert words(as_svg(printed)) == ["Title", "[…]", "2. Two", "   b", "[…]", "End"]

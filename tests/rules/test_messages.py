"""Every message that people read has both languages, with the same places, and each is used."""

import re
import string
from pathlib import Path

import pytest

from xportcn_tools.messages import MESSAGES, said

PAGE = Path(__file__).parents[2] / "server" / "xportcn_server" / "page"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", MESSAGES)
def test_a_message_has_both_languages_with_the_same_places(key: str) -> None:
    english, chinese = MESSAGES[key]
    assert places(english) == places(chinese)
    if key not in ("switch", "of"):
        assert CHINESE.search(chinese)
        assert not CHINESE.search(english)
    filled = dict.fromkeys(places(english), "x")
    assert said("en", key, **filled) != "" != said("zh", key, **filled)


def test_the_page_says_nothing_that_the_table_has_not() -> None:
    texts = [path.read_text("utf-8") for path in (PAGE / "templates").iterdir()]
    named = {key for text in texts for key in re.findall(r"\bt\('(\w+)'\s*[,)]", text)}
    assert named
    assert named <= MESSAGES.keys()
    for text in texts:
        bare = re.sub(r"<[^>]*>", " ", re.sub(r"{%.*?%}|{{.*?}}", " ", text))
        assert not re.search(r"[A-Za-z]{2,}", bare.replace("CNY", "")), "a word that is in one language only"

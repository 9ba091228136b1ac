"""Which offer a text names: every known form, what only looks like one, and nothing guessed."""

import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xportcn_tools.goods.links import OfferLink, is_share_link, offer_in, why_no_offer

OFFER = "610947572360"
DETAIL = f"https://detail.1688.com/offer/{OFFER}.html"
MOBILE = f"https://m.1688.com/offer/{OFFER}.html"
PAGE = f"https://detail.m.1688.com/page/index.html?offerId={OFFER}&skuId=5300000000031"
FORMS = [
    DETAIL,
    MOBILE,
    PAGE,
    DETAIL.removeprefix("https://"),
    DETAIL.upper(),
    DETAIL.replace("https", "http"),
    DETAIL + "?spm=a2637.1&x=1#detail",
    DETAIL.removesuffix(".html"),
]


def encoded(text: str, times: int = 1) -> str:
    for _ in range(times):
        text = quote(text, safe="")
    return text


@pytest.mark.parametrize("form", [*FORMS, OFFER, f"  {OFFER}\n"])
def test_each_form_of_a_link_names_its_offer(form: str) -> None:
    found = offer_in(form)
    assert found
    assert found.offer_id == OFFER


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "sentence",
    [
        "请帮我买这个：{}，红色的，20个",
        "【淘宝】「{}」 看看",
        "please order this ({}), the red one.",
        "<a href='{}'>link</a>",
        "[mug]({}).",
        "1688 {} ",
        "{}\n20 pieces, size 40",
    ],
)
def test_a_link_is_found_among_other_words_and_signs(form: str, sentence: str) -> None:
    found = offer_in(sentence.format(form))
    assert found
    assert found.offer_id == OFFER


@pytest.mark.parametrize("form", [DETAIL, MOBILE, PAGE])
@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize(
    "outer", ["https://go.example/r?to={}", "https://go.example/r?to={}&offerId=123456789", "{}"]
)
def test_a_link_is_found_encoded_inside_another_link(form: str, times: int, outer: str) -> None:
    found = offer_in(outer.format(encoded(form, times)))
    assert found == OfferLink(OFFER, "5300000000031" if form == PAGE else None)


def test_the_option_that_a_link_points_at_is_read_where_there_is_one() -> None:
    assert offer_in(PAGE) == OfferLink(OFFER, "5300000000031")
    assert offer_in(DETAIL + "?skuId=5300000000099") == OfferLink(OFFER, "5300000000099")
    assert offer_in(f"{PAGE} {DETAIL}?skuId=5300000000099") == OfferLink(OFFER)


def test_several_different_offers_are_none_and_the_same_one_twice_is_one() -> None:
    other = DETAIL.replace(OFFER, "628913047512")
    assert offer_in(f"{DETAIL} {other}") is None
    assert "several offers" in why_no_offer(f"{DETAIL} {other}")
    for text in (f"628913047512 like {DETAIL}", f"{DETAIL} or 628913047512", f"{DETAIL}，628913047512"):
        assert offer_in(text) is None
        assert "several offers" in why_no_offer(text)
    for text in (
        f"{OFFER} {DETAIL}",
        f"{DETAIL} 电话13800138000",
        f"{PAGE} sku 5300000000031",
        f"x628913047512 {DETAIL}",
    ):
        assert offer_in(text) is not None, text
    assert offer_in(f"{DETAIL} {MOBILE} https://x.example/?u={encoded(DETAIL)}") == OfferLink(OFFER)
    assert offer_in(f"https://detail.m.1688.com/page/index.html?offerId={OFFER}&offerId=628913047512") is None


@pytest.mark.parametrize("length", [*range(940, 1001), *range(3920, 4100)])
def test_a_long_link_names_its_whole_offer_or_none(length: int) -> None:
    start = "https://detail.m.1688.com/page/index.html?spm=a2638t.&trace="
    found = offer_in(f"{start}{'x' * (length - len(start))}&offerId={OFFER}")
    assert found is None or found == OfferLink(OFFER)
    assert found or length > 3900


@pytest.mark.parametrize(
    "text",
    [
        f"https://detail.1688.com.evil.example/offer/{OFFER}.html",
        f"https://detail.1688.com@evil.example/offer/{OFFER}.html",
        f"https://detail.1688.com:443@evil.example/offer/{OFFER}.html",
        f"https://detail.1688.com%2Foffer%2F{OFFER}.html@evil.example/",
        f"https://detail.1688.com\\@evil.example/offer/{OFFER}.html",
        f"https://evil-detail.1688.com/offer/{OFFER}.html",
        f"https://evildetail.1688.com/offer/{OFFER}.html",
        f"https://evil.example/detail.1688.com/offer/{OFFER}.html",
        f"https://detail.1688.com.cn/offer/{OFFER}.html",
        f"https://detail.1688.co/offer/{OFFER}.html",
        f"https://detail.1688.com/offer/x{OFFER}.html",
        f"https://detail.1688.com/offer/{OFFER}x.html",
        f"https://detail.1688.com/offer/{OFFER}.htmlx",
        f"https://detail.1688.com/shop/{OFFER}.html",
        "https://detail.1688.com/offer/0610947572360.html",
        "https://detail.1688.com/offer/12345678901234567890.html",
        f"https://detail.1688.com/?offerId={OFFER}",
        f"https://detail.m.1688.com/page/other.html?offerId={OFFER}",
        f"https://detail.m.1688.com/page/index.html?xofferId={OFFER}",
        f"javascript:detail.1688.com.x/offer/{OFFER}.html",
        "",
        "the red one",
        f"{OFFER} and 628913047512",
        "-610947572360",
        "６１０９４７５７２３６０",
        "12345678901234567890",
    ],
)
def test_what_only_looks_like_a_link_names_nothing(text: str) -> None:
    assert offer_in(text) is None
    assert OFFER in why_no_offer(text), "the sentence holds an example of the right form"


@pytest.mark.parametrize(
    "link", ["https://qr.1688.com/s/aBcD12", "dj.1688.com/xYz", "看 https://qr.1688.com/s/x 吧"]
)
def test_a_share_link_gets_a_sentence_that_says_what_to_paste(link: str) -> None:
    assert is_share_link(link)
    assert offer_in(link) is None
    assert "paste the address of the opened page" in why_no_offer(link)
    assert not is_share_link("https://qr.1688.com.evil.example/s/aBcD12")
    assert offer_in(f"{link} {DETAIL}") == OfferLink(OFFER)


@pytest.mark.parametrize(
    "piece",
    [
        "https://",
        "detail.1688.com/",
        "%25",
        "https%3A%2F%2Fdetail.1688.com%2F",
        "a@",
        f"{DETAIL} ",
        "/offer/1",
        "%253d",
    ],
)
def test_a_hostile_text_takes_time_that_grows_with_its_length_alone(piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        began = time.process_time()
        offer_in(text)
        is_share_link(text)
        return time.process_time() - began

    small, large = seconds(50_000), seconds(400_000)
    assert large < 32 * small + 0.5


@given(st.text(alphabet="detailm.1688co/%25Ff3a@:?=&#offerId109-_ 红", max_size=80))
def test_any_text_is_read_and_what_is_found_stands_in_it(text: str) -> None:
    found = offer_in(text)
    if found:
        assert found.offer_id in text


@given(st.integers(1, 10**19 - 1).map(str), st.sampled_from([DETAIL, MOBILE, PAGE]), st.integers(0, 2))
def test_the_offer_of_a_link_is_exactly_its_digits(offer_id: str, form: str, times: int) -> None:
    link = encoded(form.replace(OFFER, offer_id), times)
    found = offer_in(f"买 https://x.example/?u={link} 谢谢" if times else f"买 {link} 谢谢")
    assert found
    assert found.offer_id == offer_id
